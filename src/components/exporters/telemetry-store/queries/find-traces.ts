import { durationAt, hasLong, millisecondsAt, spanAt, statusAt } from '../memory/record.ts';
import type { Segment } from '../memory/segment.ts';
import type { TelemetryMemory } from '../memory/telemetry-memory.ts';
import { decidingTest, serviceOf, type SpanCriteria, type SpanPlace } from './criteria.ts';

/** A trace fits if one of its spans fits all of these. */
export interface TraceCriteria extends SpanCriteria {
  /** Only spans that arrived after so many others. */
  readonly after?: number | undefined;
  /** The number of traces, newest first. */
  readonly limit: number;
}

export interface TraceSummary {
  readonly traceId: string;
  /** The name of the root, or of the first span if the root is not in the store. So is `service`. */
  readonly name: string;
  readonly service: string;
  readonly startTimeUnixNano: bigint;
  readonly hasRoot: boolean;
  /** From the begin of the first span to the end of the last one. */
  readonly durationMs: number;
  readonly spans: number;
  /** Spans with the status error. */
  readonly failedSpans: number;
  readonly logs: number;
  /** The first span that fits. */
  readonly fitting: { readonly spanId: string; readonly name: string; readonly durationMs: number };
}

const ROWS_A_STEP = 1024;

export interface FoundTraces {
  readonly traces: readonly TraceSummary[];
  /** True if the limit left out others. */
  readonly hasMore: boolean;
}

/** Finds the newest traces. */
export function* findTraces(memory: TelemetryMemory, criteria: TraceCriteria): Generator<undefined, FoundTraces> {
  const newest = new NewestTraces(criteria.limit);
  for (const segment of memory.segments) {
    yield* collectFitting(segment, criteria, newest);
    yield;
  }
  const found = newest.take();
  const totals = new Map([...found].map(([id, place]) => [id, new Totals(place)]));
  for (const segment of memory.segments) {
    yield* addTotals(segment, totals);
    yield;
  }
  const traces = [...totals]
    .map(([id, total]) => total.summary(id))
    .toSorted((a, b) => Number(b.startTimeUnixNano - a.startTimeUnixNano));
  return { traces, hasMore: newest.hasMore };
}

function* collectFitting(segment: Segment, criteria: TraceCriteria, newest: NewestTraces): Generator<undefined> {
  const { spans, traces } = segment;
  const { cells } = spans;
  const firstRow = firstRowAfter(segment.arrivals?.spans, criteria.after);
  if (firstRow >= spans.count) return;
  const fits = decidingTest(segment, criteria);
  for (let row = firstRow; row < spans.count; row++) {
    if (row % ROWS_A_STEP === 0) yield;
    if (!fits(row)) continue;
    const id = traces.bytesOf(cells.trace[row] as number).toString('hex');
    newest.add(id, millisecondsAt(cells.startNs, row), { segment, row });
  }
}

/** @param arrived how many items arrived before the segment; undefined if they all are old. */
export function firstRowAfter(arrived: number | undefined, after: number | undefined): number {
  if (after === undefined) return 0;
  return arrived === undefined ? Infinity : Math.max(0, after - arrived);
}

/** The newest traces, by the begin of a fitting span. */
class NewestTraces {
  readonly #limit: number;
  /** True if the limit left out others. */
  hasMore = false;
  #found = new Map<string, { readonly startMs: number; readonly place: SpanPlace }>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(id: string, startMs: number, place: SpanPlace): void {
    const known = this.#found.get(id);
    if (known !== undefined && known.startMs <= startMs) return;
    this.#found.set(id, { startMs, place });
    if (this.#found.size > 4 * this.#limit + 100) this.#trim();
  }

  take(): ReadonlyMap<string, SpanPlace> {
    this.#trim();
    return new Map([...this.#found].map(([id, { place }]) => [id, place]));
  }

  #trim(): void {
    if (this.#found.size <= this.#limit) return;
    this.hasMore = true;
    const newest = [...this.#found].toSorted(([, a], [, b]) => b.startMs - a.startMs);
    this.#found = new Map(newest.slice(0, this.#limit));
  }
}

/** Sums over a whole trace. */
class Totals {
  readonly #fitting: SpanPlace;
  readonly #spans = new Set<string>();
  #first: SpanPlace;
  #firstMs = Infinity;
  #lastMs = -Infinity;
  #root: SpanPlace | undefined;
  failedSpans = 0;
  logs = 0;

  constructor(fitting: SpanPlace) {
    this.#fitting = fitting;
    this.#first = fitting;
  }

  /** A sender that was not answered sends a span again. */
  addSpan(place: SpanPlace): void {
    const { segment, row } = place;
    const { cells } = segment.spans;
    const key = `${cells.spanId[2 * row]} ${cells.spanId[2 * row + 1]}`;
    if (this.#spans.has(key)) return;
    this.#spans.add(key);
    if (statusAt(segment, row) === 'error') this.failedSpans++;
    if (!hasLong(cells.parentId, row)) this.#root = place;
    const startMs = millisecondsAt(cells.startNs, row);
    this.#lastMs = Math.max(this.#lastMs, startMs + durationAt(segment, row) / 1e6);
    if (startMs >= this.#firstMs) return;
    this.#firstMs = startMs;
    this.#first = place;
  }

  summary(traceId: string): TraceSummary {
    const { segment, row } = this.#root ?? this.#first;
    const { name, startTimeUnixNano } = spanAt(segment, row);
    const fitting = spanAt(this.#fitting.segment, this.#fitting.row);
    return {
      traceId,
      name,
      service: serviceOf(segment, segment.spans.cells.resource[row] as number),
      startTimeUnixNano,
      hasRoot: this.#root !== undefined,
      durationMs: this.#lastMs - this.#firstMs,
      spans: this.#spans.size,
      failedSpans: this.failedSpans,
      logs: this.logs,
      fitting: { spanId: fitting.spanId, name: fitting.name, durationMs: fitting.durationNs / 1e6 },
    };
  }
}

function* addTotals(segment: Segment, totals: ReadonlyMap<string, Totals>): Generator<undefined> {
  const { traces, spans, logs } = segment;
  const wanted: (Totals | undefined)[] = [];
  for (const [id, total] of totals) {
    const trace = traces.find(new DataView(Uint8Array.from(Buffer.from(id, 'hex')).buffer), 0, 16);
    if (trace >= 0) wanted[trace] = total;
  }
  if (wanted.length === 0) return;
  for (let row = 0; row < spans.count; row++) {
    wanted[spans.cells.trace[row] as number]?.addSpan({ segment, row });
    if (row % ROWS_A_STEP === 0) yield;
  }
  for (let row = 0; row < logs.count; row++) {
    const total = wanted[(logs.cells.trace[row] as number) - 1];
    if (total !== undefined) total.logs++;
    if (row % ROWS_A_STEP === 0) yield;
  }
}
