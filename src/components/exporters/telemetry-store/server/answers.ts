/** The paths of the query API: what each of them reads from the store. */
import { suggest } from '../../../../engine/config/nearest-name.ts';
import type { JsonObject } from '../../../../engine/otlp/json-values.ts';
import type { QueryAnswer } from '../../../../engine/query-apis.ts';
import { findLockWaits, latestLockWaits } from '../lock-waits/find-lock-waits.ts';
import { anyLockWaitToJson, lockWaitToJson } from '../lock-waits/lock-wait-json.ts';
import { logAt, spanAt } from '../memory/record.ts';
import type { TelemetryMemory } from '../memory/telemetry-memory.ts';
import { MAX_OF_METRIC as MAX_EXEMPLARS } from '../memory/exemplar-memory.ts';
import { metricNamed, withSpans, type FoundExemplar } from '../queries/find-exemplars.ts';
import { findErrors, type ErrorGroup } from '../queries/find-errors.ts';
import { findLogs } from '../queries/find-logs.ts';
import { findTrace, traceIdsWith } from '../queries/find-trace.ts';
import { findTraces } from '../queries/find-traces.ts';
import { unknownName } from '../queries/known-names.ts';
import { compare, COMPARE_PARAMETERS } from './compare.ts';
import { boundedArray, boundedEnd, boundedSteps, logToJson, newBudget, spanToJson, summaryToJson } from './json.ts';
import { BadQuery, Parameters } from './parameters.ts';
import type { Stored } from './stored.ts';
import { jsonText } from '../../../../engine/json-text.ts';

const SHARED = ['service', 'attribute', 'since', 'until', 'limit', 'after'];
const STATUSES = ['unset', 'ok', 'error'] as const;
/** The number of spans and of log records in the answer about one trace. */
const MAX_OF_TRACE = 10_000;
/** Besides spans and log records. */
const MAX_LOCK_WAIT_BYTES = 256 * 1024;
const LEAST_DIGITS = 4;
const MAX_LISTED = 10;

/** Answers a query. Yields where other work may run. @throws BadQuery if the query is wrong. */
export function* answerTo(path: string, values: URLSearchParams, stored: Stored): Generator<undefined, QueryAnswer> {
  const [, api, collection = '', id, ...rest] = path.split('/');
  if (api !== 'api' || rest.length > 0) return notFound(path);
  if (id !== undefined) return collection === 'traces' ? yield* trace(id, values, stored) : notFound(path);
  const answer = COLLECTIONS.get(collection);
  return answer === undefined ? notFound(path) : yield* answer(values, stored);
}

type AnswerCollection = (values: URLSearchParams, stored: Stored) => Generator<undefined, QueryAnswer>;

const COLLECTIONS: ReadonlyMap<string, AnswerCollection> = new Map([
  ['traces', traces],
  ['logs', logs],
  ['errors', errors],
  ['exemplars', exemplars],
  ['lock-waits', lockWaitsOfAll],
  ['compare', (values, stored) => compare(new Parameters(values, COMPARE_PARAMETERS), stored)],
]);

function* traces(values: URLSearchParams, { memory }: Stored): Generator<undefined, QueryAnswer> {
  const given = new Parameters(values, [...SHARED, 'operation', 'status', 'min_duration', 'max_duration']);
  const criteria = {
    ...sharedCriteria(given),
    operation: given.text('operation'),
    status: given.choice('status', STATUSES),
    minDurationMs: given.durationMs('min_duration'),
    maxDurationMs: given.durationMs('max_duration'),
    limit: given.limit(20),
  };
  const next = memory.arrivals.spans;
  const { traces: found, hasMore } = yield* findTraces(memory, criteria);
  const hint = found.length === 0 ? yield* unknownName(memory, criteria) : undefined;
  const { text, left } = boundedArray(found, summaryToJson, newBudget());
  return { status: 200, body: `{"traces":${text},${endOfList({ hasMore, left, next, hint })}}` };
}

function* logs(values: URLSearchParams, { memory }: Stored): Generator<undefined, QueryAnswer> {
  const given = new Parameters(values, [...SHARED, 'trace', 'severity', 'text']);
  const written = given.text('trace');
  const criteria = {
    ...sharedCriteria(given),
    // The lines of a trace may be here without its spans.
    traceId:
      written === undefined
        ? undefined
        : ((yield* traceIdOf(written, memory)) ?? written.toLowerCase().padStart(32, '0')),
    minSeverity: given.severity('severity'),
    text: given.text('text'),
    limit: given.limit(100),
  };
  const next = memory.arrivals.logs;
  const { places, hasMore } = yield* findLogs(memory, criteria);
  const hint = places.length === 0 ? yield* unknownName(memory, criteria) : undefined;
  const { text, left } = yield* boundedEnd(places, ({ segment, row }) => logToJson(logAt(segment, row)), newBudget());
  return { status: 200, body: `{"logs":${text},${endOfList({ hasMore, left, next, hint })}}` };
}

function* trace(written: string, values: URLSearchParams, { memory }: Stored): Generator<undefined, QueryAnswer> {
  const given = new Parameters(values, ['limit']);
  const id = yield* traceIdOf(written, memory);
  if (id === undefined) return failure(404, `trace ${written} is not in the store: it was not sent, or is evicted`);
  const found = yield* findTrace(memory, id, Math.min(given.count('limit') ?? MAX_OF_TRACE, MAX_OF_TRACE));
  const budget = newBudget();
  const records = yield* boundedSteps(found.logs, ({ segment, row }) => logToJson(logAt(segment, row)), {
    bytes: budget.bytes / 2,
  });
  const spans = yield* boundedSteps(found.spans, ({ segment, row }) => spanToJson(spanAt(segment, row)), {
    bytes: budget.bytes - Buffer.byteLength(records.text),
  });
  const waits = yield* findLockWaits(memory, found.spans);
  const lockWaits = boundedArray(waits, lockWaitToJson, { bytes: MAX_LOCK_WAIT_BYTES });
  const { traceId, spanCount, logCount } = found;
  const counts = `"spanCount":${spanCount},"logCount":${logCount}`;
  const parts = `"spans":${spans.text},"logs":${records.text},"lockWaits":${lockWaits.text}`;
  return { status: 200, body: `{"traceId":"${traceId}",${counts},${parts}}` };
}

function* lockWaitsOfAll(values: URLSearchParams, { memory }: Stored): Generator<undefined, QueryAnswer> {
  const given = new Parameters(values, ['since', 'limit']);
  const { waits, left } = yield* latestLockWaits(memory, { sinceMs: given.timeMs('since'), limit: given.limit(100) });
  const { text, left: cut } = yield* boundedSteps(waits, anyLockWaitToJson, newBudget());
  return { status: 200, body: `{"lockWaits":${text},"left":${left + cut}}` };
}

/** The whole id; undefined if no trace of the store begins with the digits. */
function* traceIdOf(written: string, memory: TelemetryMemory): Generator<undefined, string | undefined> {
  const digits = written.toLowerCase();
  if (!/^[\da-f]{1,32}$/.test(digits) || digits.length < LEAST_DIGITS) {
    throw new BadQuery(`a trace id has 32 hexadecimal digits; ${LEAST_DIGITS} of its first ones are enough`);
  }
  // Some tools show an id of 64 bits, and any id, without the zeros at its beginning.
  const [padded] = yield* traceIdsWith(memory, digits.padStart(32, '0'));
  const ids = padded === undefined ? yield* traceIdsWith(memory, digits) : [padded];
  if (ids.length > 1) throw new BadQuery(`several traces begin with ${digits}: ${ids.join(', ')}`);
  return ids[0];
}

function* errors(values: URLSearchParams, { memory }: Stored): Generator<undefined, QueryAnswer> {
  const given = new Parameters(values, ['service', 'attribute', 'since', 'until']);
  const criteria = sharedCriteria(given);
  const { groups, left } = yield* findErrors(memory, criteria);
  const hint = groups.length === 0 ? yield* unknownName(memory, criteria) : undefined;
  const { text, left: cut } = boundedArray(groups, errorToJson, newBudget());
  const end = jsonText({ left: left + cut, ...(hint !== undefined && { hint }) });
  return { status: 200, body: `{"errors":${text},${end.slice(1)}` };
}

function errorToJson({ traceIds, firstMs, lastMs, ...group }: ErrorGroup): JsonObject {
  const [first, last] = [firstMs, lastMs].map((ms) => String(BigInt(Math.round(ms * 1000)) * 1000n));
  return { ...group, firstTimeUnixNano: first ?? '', lastTimeUnixNano: last ?? '', traces: traceIds };
}

function* exemplars(values: URLSearchParams, { memory, exemplars: known }: Stored): Generator<undefined, QueryAnswer> {
  const given = new Parameters(values, ['metric', 'limit']);
  const written = given.text('metric');
  const limit = given.limit(MAX_EXEMPLARS);
  if (written === undefined) return ok({ metrics: known.metrics.toSorted() });
  const metric = metricNamed(known, written);
  const found = metric === undefined ? undefined : known.of(metric);
  if (found === undefined) {
    return failure(
      404,
      `the store has no exemplars of ${written.slice(0, 200)}${otherMetrics(written, known.metrics)}`,
    );
  }
  const newest = found.exemplars.slice(-limit);
  const hasMore = newest.length < found.exemplars.length;
  const resolved = yield* withSpans(memory, newest);
  const { text, left } = yield* boundedSteps(resolved, exemplarToJson, newBudget());
  const names = `"metric":${jsonText(found.metric)},"unit":${jsonText(found.unit)}`;
  return { status: 200, body: `{${names},"exemplars":${text},${endOfList({ hasMore, left })}}` };
}

function exemplarToJson({ traceId, spanId, value, timeUnixNano, span }: FoundExemplar): JsonObject {
  return {
    traceId,
    spanId,
    value,
    timeUnixNano: String(timeUnixNano),
    ...(span !== undefined && { span: spanToJson(spanAt(span.segment, span.row)) }),
  };
}

/** The nearest name, or else those that were seen last. */
function otherMetrics(written: string, metrics: readonly string[]): string {
  const nearest = suggest(written, metrics);
  if (nearest !== '' || metrics.length === 0) return nearest;
  return `; it has those of ${metrics.slice(-MAX_LISTED).join(', ')}`;
}

function sharedCriteria(given: Parameters) {
  return {
    service: given.text('service'),
    attributes: given.attributes('attribute'),
    sinceMs: given.timeMs('since'),
    untilMs: given.timeMs('until'),
    after: given.count('after'),
  };
}

function ok(body: object): QueryAnswer {
  return { status: 200, body: jsonText(body) };
}

/** The end of a list: the number of items that were left out, and how to continue. @param left the number that the size of the answer left out. */
function endOfList({ hasMore, ...others }: ListEnd & { readonly hasMore: boolean }): string {
  return jsonText({ more: hasMore || others.left > 0, ...others }).slice(1, -1);
}

interface ListEnd {
  readonly left: number;
  readonly next?: number;
  readonly hint?: string | undefined;
}

export function failure(status: number, error: string): QueryAnswer {
  return { status, body: jsonText({ error }) };
}

function notFound(path: string): QueryAnswer {
  const known = '/api/traces, /api/traces/ID, /api/logs, /api/errors, /api/exemplars, /api/lock-waits and /api/compare';
  return failure(404, `${path.slice(0, 100)} does not exist: the paths are ${known}`);
}
