/** Checks an envelope against the requirements of Sentry's Relay. Every violation is reported with its place. */
import type { Envelope, JsonObject } from './envelope.ts';

const MAX_EVENT_BYTES = 1024 * 1024;
const MAX_SPANS = 1000;
const MAX_TAG_CHARACTERS = 200;

const statuses: ReadonlySet<unknown> = new Set(
  (
    'ok cancelled unknown unknown_error invalid_argument deadline_exceeded not_found already_exists permission_denied ' +
    'resource_exhausted failed_precondition aborted out_of_range unimplemented internal_error unavailable data_loss unauthenticated'
  ).split(' '),
);
const sources: ReadonlySet<unknown> = new Set(['custom', 'url', 'route', 'view', 'component', 'task']);
const levels: ReadonlySet<unknown> = new Set(['fatal', 'error', 'warning', 'info', 'debug']);

export type ItemType = 'transaction' | 'event' | 'client_report';

/** Payloads of these types are kept. The protocol requires servers to skip items of other types. */
export function isItemType(type: unknown): type is ItemType {
  return type === 'transaction' || type === 'event' || type === 'client_report';
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
    ...items.map(({ payload }): Check => [
      payload.length <= MAX_EVENT_BYTES,
      `item has ${payload.length} bytes, above 1 MiB`,
    ]),
  ]);
}

export function checkPayload(type: ItemType, payload: JsonObject): string[] {
  return checkOf[type](payload);
}

const checkOf: Readonly<Record<ItemType, (payload: JsonObject) => string[]>> = {
  transaction: checkTransaction,
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
  ]);
  const children = Array.isArray(spans) ? spans : [];
  return [
    ...found,
    ...checkCommon(payload),
    ...checkTimes(payload, 'transaction'),
    ...checkIds(trace, 'contexts.trace'),
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

function checkError(payload: JsonObject): string[] {
  const values = at(at(payload, 'exception'), 'values');
  const exceptions = Array.isArray(values) ? values : [];
  return [
    ...checkCommon(payload),
    ...checkIds(at(at(payload, 'contexts'), 'trace'), 'contexts.trace'),
    ...problems([
      [isHex(payload['event_id'], 32), 'event_id is not 32 hexadecimal digits'],
      [isTimestamp(payload['timestamp']), 'timestamp is not a number of seconds'],
      [levels.has(payload['level']), 'level is missing or unknown'],
      [exceptions.length > 0, 'exception.values is empty'],
    ]),
    ...exceptions.flatMap((exception: unknown, index) => checkException(exception, `exception.values[${index}]`)),
  ];
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
  return isText(frame, 'filename') && (line === undefined || Number.isSafeInteger(line));
}

function isDiscard(entry: unknown): boolean {
  const quantity = at(entry, 'quantity');
  return isText(entry, 'reason') && isText(entry, 'category') && Number.isSafeInteger(quantity) && Number(quantity) > 0;
}
