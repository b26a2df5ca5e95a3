/** Checks an envelope against the requirements of Sentry's Relay. Every violation is reported with its place. */
import type { Envelope, EnvelopeItem, JsonObject } from './envelope.ts';

const MAX_EVENT_BYTES = 1024 * 1024;
const MAX_SPANS = 1000;
/** Relay cuts the spans of a transaction here. */
const MAX_SPANS_BYTES = 800 * 1024;
const SPAN_CONTENT_TYPE = 'application/vnd.sentry.items.span.v2+json';
const [MAX_PAST_SECONDS, MAX_FUTURE_SECONDS] = [30 * 24 * 3600, 60];
const MAX_TAG_CHARACTERS = 200;

const statuses: ReadonlySet<unknown> = new Set(
  (
    'ok cancelled unknown unknown_error invalid_argument deadline_exceeded not_found already_exists permission_denied ' +
    'resource_exhausted failed_precondition aborted out_of_range unimplemented internal_error unavailable data_loss unauthenticated'
  ).split(' '),
);
const sources: ReadonlySet<unknown> = new Set(['custom', 'url', 'route', 'view', 'component', 'task']);
const levels: ReadonlySet<unknown> = new Set(['fatal', 'error', 'warning', 'info', 'debug']);

export type ItemType = 'transaction' | 'span' | 'event' | 'client_report';

/** Payloads of these types are kept. The protocol requires servers to skip items of other types. */
export function isItemType(type: unknown): type is ItemType {
  return type === 'transaction' || type === 'span' || type === 'event' || type === 'client_report';
}

export function checkEnvelope({ header, items }: Envelope): string[] {
  const types = items.map((item) => item.header['type']);
  const events = types.filter((type) => type === 'transaction' || type === 'event');
  return problems([
    [items.length > 0, 'envelope has no items'],
    [events.length <= 1, 'envelope holds more than one event or transaction'],
    [
      events.length === 0 || isHex(header['event_id'], 32),
      'envelope with an event has no event_id of 32 hexadecimal digits',
    ],
    [isUtcTime(header['sent_at']), 'sent_at is not a UTC time'],
    [isText(header['sdk'], 'name') && isText(header['sdk'], 'version'), 'sdk has no name and version'],
    ...items.flatMap((item) => (item.header['type'] === 'span' ? checkSpanItem(header, item) : [])),
    [at(header, 'trace') === undefined || isTraceHeader(header['trace']), 'trace has no trace_id and public_key'],
    ...items.map(({ payload }): Check => [
      payload.length <= MAX_EVENT_BYTES,
      `item has ${payload.length} bytes, above 1 MiB`,
    ]),
  ]);
}

/** Relay drops spans without the sampling context of their trace. */
function checkSpanItem(header: JsonObject, item: EnvelopeItem): Check[] {
  const count = item.header['item_count'];
  return [
    [isTraceHeader(header['trace']), 'envelope with spans has no trace'],
    [item.header['content_type'] === SPAN_CONTENT_TYPE, `spans have another content_type than ${SPAN_CONTENT_TYPE}`],
    [Number.isSafeInteger(count) && Number(count) >= 1 && Number(count) <= MAX_SPANS, 'item_count is not 1 to 1000'],
  ];
}

function isTraceHeader(trace: unknown): boolean {
  const values = Object.values(Object(trace) as object);
  return isHex(at(trace, 'trace_id'), 32) && isText(trace, 'public_key') && values.every((value) => typeof value === 'string'); // prettier-ignore
}

export function checkPayload(type: ItemType, payload: JsonObject): string[] {
  return checkOf[type](payload);
}

const checkOf: Readonly<Record<ItemType, (payload: JsonObject) => string[]>> = {
  transaction: checkTransaction,
  span: checkSpans,
  event: checkError,
  client_report: checkClientReport,
};

type Check = readonly [holds: boolean, problem: string];

function problems(checks: readonly Check[]): string[] {
  return checks.filter(([holds]) => !holds).map(([, problem]) => problem);
}

function checkTransaction(payload: JsonObject): string[] {
  const trace = at(at(payload, 'contexts'), 'trace');
  const spans = payload['spans'];
  const found = problems([
    [payload['type'] === 'transaction', 'type is not transaction'],
    [isHex(payload['event_id'], 32), 'event_id is not 32 hexadecimal digits'],
    [isText(payload, 'transaction'), 'transaction has no name'],
    [sources.has(at(at(payload, 'transaction_info'), 'source')), 'transaction_info.source is unknown'],
    [isText(trace, 'op'), 'contexts.trace.op is missing'],
    [statuses.has(at(trace, 'status')), 'contexts.trace.status is missing or unknown'],
    [Array.isArray(spans), 'spans is not a list'],
    [!Array.isArray(spans) || spans.length <= MAX_SPANS, 'transaction has more than 1000 spans'],
    [Buffer.byteLength(JSON.stringify(spans ?? [])) <= MAX_SPANS_BYTES, 'spans are larger than 800 KiB'],
  ]);
  const children: readonly unknown[] = Array.isArray(spans) ? spans : [];
  return [
    ...found,
    ...checkCommon(payload),
    ...checkTimes(payload, 'transaction'),
    ...checkAge(payload['timestamp'], 'transaction'),
    ...checkIds(trace, 'contexts.trace'),
    ...checkOrder(children),
    ...children.flatMap((span: unknown, index) => checkSpan(span, at(trace, 'trace_id'), `spans[${index}]`)),
  ];
}

function checkSpan(span: unknown, traceId: unknown, place: string): string[] {
  const status = at(span, 'status');
  return [
    ...checkIds(span, place),
    ...checkTimes(span, place),
    ...problems([
      [at(span, 'trace_id') === traceId, `${place} is of another trace`],
      [status === undefined || statuses.has(status), `${place}.status is unknown`],
    ]),
  ];
}

function checkSpans({ version, items }: JsonObject): string[] {
  const listed: readonly unknown[] = Array.isArray(items) ? items : [];
  const [first] = listed;
  return [
    ...problems([
      [version === 2, 'version is not 2'],
      [listed.length > 0, 'items is empty'],
    ]),
    ...listed.flatMap((span, index) => checkSpanV2(span, at(first, 'trace_id'), `items[${index}]`)),
  ];
}

function checkSpanV2(span: unknown, traceId: unknown, place: string): string[] {
  const [start, end] = [at(span, 'start_timestamp'), at(span, 'end_timestamp')];
  const attributes = Object.entries(Object(at(span, 'attributes')) as object);
  return [
    ...checkIds(span, place),
    ...checkAge(end, place),
    ...problems([
      [at(span, 'trace_id') === traceId, `${place} is of another trace`],
      [isText(span, 'name'), `${place} has no name`],
      [at(span, 'status') === 'ok' || at(span, 'status') === 'error', `${place}.status is neither ok nor error`],
      [typeof at(span, 'is_segment') === 'boolean', `${place}.is_segment is missing`],
      [isTimestamp(start) && isTimestamp(end), `${place} has no start_timestamp and end_timestamp in seconds`],
      [!(Number(start) > Number(end)), `${place} ends before it starts`],
    ]),
    ...attributes
      .filter(([, value]) => !isTyped(value))
      .map(([name]) => `${place}.attributes[${name}] has another type`),
  ];
}

function isTyped(attribute: unknown): boolean {
  const [type, value] = [at(attribute, 'type'), at(attribute, 'value')];
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isSafeInteger(value);
  return typeof value === (type === 'double' ? 'number' : type);
}

function checkError(payload: JsonObject): string[] {
  const values = at(at(payload, 'exception'), 'values');
  const exceptions = Array.isArray(values) ? values : [];
  const trace = at(at(payload, 'contexts'), 'trace');
  return [
    ...checkCommon(payload),
    ...(trace === undefined ? [] : checkIds(trace, 'contexts.trace')),
    ...problems([
      [isHex(payload['event_id'], 32), 'event_id is not 32 hexadecimal digits'],
      [isTimestamp(payload['timestamp']), 'timestamp is not a number of seconds'],
      [levels.has(payload['level']), 'level is missing or unknown'],
      [exceptions.length > 0, 'exception.values is empty'],
    ]),
    ...checkEvidence(exceptions.at(-1), at(payload, 'extra')),
    ...exceptions.flatMap((exception: unknown, index) => checkException(exception, `exception.values[${index}]`)),
  ];
}

/** Compares the last exception, the one that was recorded, with the attributes that it was recorded with. */
function checkEvidence(exception: unknown, attributes: unknown): string[] {
  const stack = at(attributes, 'exception.stacktrace');
  const [own = ''] = typeof stack === 'string' ? stack.split(/^\s*(?:\[cause\]:|Caused by:)/m) : [];
  const calls = own.match(/^\s*at /gm)?.length ?? 0;
  const frames = at(at(exception, 'stacktrace'), 'frames');
  const mechanism = at(exception, 'mechanism');
  return problems([
    [
      at(mechanism, 'handled') === undefined ||
        String(at(mechanism, 'type')).startsWith('onun') ||
        typeof at(attributes, 'exception.escaped') === 'boolean',
      'handled has no evidence',
    ],
    [calls === 0 || !Array.isArray(frames) || frames.length <= calls, 'an exception has the frames of its cause'],
  ]);
}

function checkException(exception: unknown, place: string): string[] {
  const frames = at(at(exception, 'stacktrace'), 'frames');
  const listed = Array.isArray(frames) ? frames : [];
  return problems([
    [isText(exception, 'type') || isText(exception, 'value'), `${place} has neither type nor value`],
    [at(exception, 'stacktrace') === undefined || listed.length > 0, `${place}.stacktrace has no frames`],
    ...listed.map((frame: unknown, index): Check => [
      isFrame(frame),
      `${place}.stacktrace.frames[${index}] is not a frame`,
    ]),
  ]);
}

function checkClientReport(payload: JsonObject): string[] {
  const discarded = payload['discarded_events'];
  const listed = Array.isArray(discarded) ? discarded : [];
  return problems([
    [isTimestamp(payload['timestamp']) || isUtcTime(payload['timestamp']), 'timestamp is missing'],
    [listed.length > 0, 'discarded_events is empty'],
    ...listed.map((entry: unknown, index): Check => [isDiscard(entry), `discarded_events[${index}] is incomplete`]),
  ]);
}

function checkCommon(payload: JsonObject): string[] {
  const { environment, release } = payload;
  return problems([
    [isText(payload, 'platform'), 'platform is missing'],
    [environment === undefined || isName(environment, 64), 'environment is not allowed'],
    [release === undefined || isName(release, 250), 'release is not allowed'],
    ...Object.entries(Object(payload['tags']) as object).map(([name, value]): Check => [
      typeof value === 'string' && value.length <= MAX_TAG_CHARACTERS,
      `tag ${name} is too long`,
    ]),
  ]);
}

function checkIds(holder: unknown, place: string): string[] {
  const parent = at(holder, 'parent_span_id');
  return problems([
    [isHex(at(holder, 'trace_id'), 32), `${place}.trace_id is not 32 hexadecimal digits`],
    [isHex(at(holder, 'span_id'), 16), `${place}.span_id is not 16 hexadecimal digits`],
    [parent === undefined || isHex(parent, 16), `${place}.parent_span_id is not 16 hexadecimal digits`],
  ]);
}

function checkTimes(holder: unknown, place: string): string[] {
  const [start, end] = [at(holder, 'start_timestamp'), at(holder, 'timestamp')];
  if (!isTimestamp(start) || !isTimestamp(end)) return [`${place} has no start_timestamp and timestamp in seconds`];
  return start <= end ? [] : [`${place} ends before it starts`];
}

/** Relay refuses a transaction whose end is out of this range. */
function checkAge(end: unknown, place: string): string[] {
  const age = Date.now() / 1000 - Number(end);
  return problems([
    [!(age > MAX_PAST_SECONDS), `${place} ended more than 30 days ago`],
    [!(age < -MAX_FUTURE_SECONDS), `${place} ends in the future`],
  ]);
}

/** The detectors for repeated queries go through the spans in their order. */
function checkOrder(spans: readonly unknown[]): string[] {
  const starts = spans.map((span) => Number(at(span, 'start_timestamp')));
  const wrong = starts.findIndex((start, index) => start < (starts[index - 1] ?? 0));
  return wrong === -1 ? [] : [`spans[${wrong}] starts before the span that precedes it`];
}

function at(holder: unknown, key: string): unknown {
  return typeof holder === 'object' && holder !== null ? (holder as JsonObject)[key] : undefined;
}

function isText(holder: unknown, key: string): boolean {
  const value = at(holder, key);
  return typeof value === 'string' && value !== '';
}

function isHex(value: unknown, digits: number): boolean {
  return typeof value === 'string' && value.length === digits && /^[0-9a-f]+$/.test(value) && !/^0+$/.test(value);
}

function isTimestamp(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isUtcTime(value: unknown): boolean {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value);
}

function isName(value: unknown, maxCharacters: number): boolean {
  return typeof value === 'string' && value !== '' && value.length <= maxCharacters && !/[\s/\\]/.test(value);
}

function isFrame(frame: unknown): boolean {
  const line = at(frame, 'lineno');
  return (isText(frame, 'filename') || isText(frame, 'function')) && (line === undefined || Number.isSafeInteger(line));
}

function isDiscard(entry: unknown): boolean {
  const quantity = at(entry, 'quantity');
  return isText(entry, 'reason') && isText(entry, 'category') && Number.isSafeInteger(quantity) && Number(quantity) > 0;
}
