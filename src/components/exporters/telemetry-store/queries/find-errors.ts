import { anyValueToText, type KeyValueMap } from '../../../../engine/otlp/any-value.ts';
import { logAt, millisecondsAt, spanAt } from '../memory/record.ts';
import type { Segment } from '../memory/segment.ts';
import type { TelemetryMemory } from '../memory/telemetry-memory.ts';
import { SegmentCriteria, serviceOf, type Criteria } from './criteria.ts';

/** Exceptions with the same service, type and place; without a stack, with the same message apart from its numbers. */
export interface ErrorGroup {
  readonly service: string;
  readonly type: string;
  /** The message of the newest exception. */
  readonly message: string;
  /** An exception that a trace contains several times, as spans, events and log records have it, counts once. */
  readonly count: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** The counts of equal parts of the time from the first to the last exception of all groups. */
  readonly counts: readonly number[];
  /** The stack of the newest exception; empty if it has none. */
  readonly stack: string;
  /** The newest first. */
  readonly traceIds: readonly string[];
}

export interface FoundErrors {
  /** The newest first. */
  readonly groups: readonly ErrorGroup[];
  /** How many more there are. */
  readonly left: number;
}

const ROWS_A_STEP = 256;
const PARTS = 24;
const MAX_GROUPS = 200;
const MAX_TRACES = 10;
/** Messages and places come from outside. Exceptions beyond are not looked at. */
const MAX_EXCEPTIONS = 10_000;

/** Groups the exceptions of span events and log records. */
export function* findErrors(memory: TelemetryMemory, criteria: Criteria): Generator<undefined, FoundErrors> {
  const found = new Map<string, Occurrence>();
  for (const segment of memory.segments) {
    for (const occurrence of occurrencesIn(segment, criteria)) {
      if (occurrence === undefined) yield;
      else if (found.size < MAX_EXCEPTIONS) keepFirst(found, occurrence);
    }
    yield;
  }
  const times = [...found.values()].map(({ timeMs }) => timeMs);
  const span = { fromMs: least(times), toMs: -least(times.map((ms) => -ms)) };
  const groups = [...Map.groupBy(found.values(), groupKey).values()].map((occurrences) => groupOf(occurrences, span));
  const newest = groups.toSorted((a, b) => b.lastMs - a.lastMs);
  return { groups: newest.slice(0, MAX_GROUPS), left: Math.max(0, newest.length - MAX_GROUPS) };
}

interface Occurrence {
  readonly service: string;
  readonly type: string;
  readonly message: string;
  readonly stack: string;
  readonly timeMs: number;
  readonly traceId: string | undefined;
}

/** Yields undefined where other work may run. */
function* occurrencesIn(segment: Segment, criteria: Criteria): Generator<Occurrence | undefined> {
  const { spans, logs } = segment;
  const shared = new SegmentCriteria(segment, criteria);
  for (let row = 0; row < spans.count; row++) {
    if (row % ROWS_A_STEP === 0) yield undefined;
    if (!hasEvents(segment, row) || !shared.fitsTime(spans.cells.startNs, row)) continue;
    const [resource, details] = [spans.cells.resource[row] as number, spans.cells.details[row] as number];
    if (!shared.fits(resource, details)) continue;
    const { traceId, events } = spanAt(segment, row);
    for (const { attributes, timeUnixNano } of events) {
      yield exceptionOf(attributes, {
        service: serviceOf(segment, resource),
        traceId,
        timeMs: Number(timeUnixNano / 1000n) / 1000,
      });
    }
  }
  const exceptions = ['exception.type', 'exception.message'].map(
    (key) => new SegmentCriteria(segment, { attributes: [{ key, value: '*' }] }),
  );
  for (let row = 0; row < logs.count; row++) {
    if (row % ROWS_A_STEP === 0) yield undefined;
    const [resource, details] = [logs.cells.resource[row] as number, logs.cells.details[row] as number];
    if (!shared.fitsTime(logs.cells.timeNs, row) || !shared.fits(resource, details)) continue;
    if (!exceptions.some((one) => one.fits(resource, details))) continue;
    const { traceId, attributes } = logAt(segment, row);
    yield exceptionOf(attributes, {
      service: serviceOf(segment, resource),
      traceId,
      timeMs: millisecondsAt(logs.cells.timeNs, row),
    });
  }
}

/** The words of a span begin with its list and its message. */
function hasEvents({ spans, words }: Segment, row: number): boolean {
  const details = spans.cells.details[row] as number;
  return words.at(details + 1 + words.at(details) + 1) > 0;
}

/** Undefined if it is not an exception. */
function exceptionOf(
  attributes: KeyValueMap,
  from: Pick<Occurrence, 'service' | 'timeMs' | 'traceId'>,
): Occurrence | undefined {
  const [type = '', message = '', stack = ''] = ['type', 'message', 'stacktrace'].map((name) => {
    const value = attributes.get(`exception.${name}`);
    return value === undefined ? undefined : anyValueToText(value);
  });
  return type === '' && message === '' ? undefined : { ...from, type, message, stack };
}

/** Within a trace, the first is where it happened. Outside of traces, each is its own. */
function keepFirst(found: Map<string, Occurrence>, occurrence: Occurrence): void {
  const { traceId, type, message } = occurrence;
  const key = traceId === undefined ? `log ${found.size}` : JSON.stringify([traceId, type, message]);
  const known = found.get(key);
  if (known === undefined || occurrence.timeMs < known.timeMs) {
    found.set(key, { ...occurrence, stack: occurrence.stack || (known?.stack ?? '') });
  }
}

function groupKey({ service, type, message, stack }: Occurrence): string {
  return JSON.stringify([service, type, placeIn(stack) ?? message.replaceAll(/\d+/g, '0')]);
}

/** The first line of a stack behind the message, without the numbers of line and column. */
function placeIn(stack: string): string | undefined {
  return /^\s*at (.*)$/m.exec(stack)?.[1]?.replaceAll(/:\d+/g, '');
}

function groupOf(
  occurrences: readonly Occurrence[],
  span: { readonly fromMs: number; readonly toMs: number },
): ErrorGroup {
  const newestFirst = occurrences.toSorted((a, b) => b.timeMs - a.timeMs);
  const [newest, oldest] = [newestFirst[0] as Occurrence, newestFirst.at(-1) as Occurrence];
  const counts = Array.from({ length: PARTS }, () => 0);
  const partMs = Math.max(1, (span.toMs - span.fromMs) / PARTS);
  for (const { timeMs } of occurrences) {
    const part = Math.min(PARTS - 1, Math.floor((timeMs - span.fromMs) / partMs));
    counts[part] = (counts[part] as number) + 1;
  }
  const traceIds = new Set(newestFirst.flatMap(({ traceId }) => traceId ?? []));
  return {
    service: newest.service,
    type: newest.type,
    message: newest.message,
    count: occurrences.length,
    firstMs: oldest.timeMs,
    lastMs: newest.timeMs,
    counts,
    stack: newest.stack,
    traceIds: [...traceIds].slice(0, MAX_TRACES),
  };
}

/** `Math.min` of very many numbers would overflow the stack. */
function least(numbers: readonly number[]): number {
  return numbers.reduce((smallest, number) => Math.min(smallest, number), Infinity);
}
