import { inSlices } from '../../../../engine/time-slice.ts';
import { RecordCopier } from './copy-record.ts';
import { Segment } from './segment.ts';
import { ERROR, EXEMPLAR, ORDINARY, TraceClasses } from './trace-classes.ts';

/** The number of segments that fill the memory. */
const SEGMENTS = 96;
/** An empty segment has tables, too. */
const LEAST_SEGMENT_BYTES = 256 * 1024;
/** A segment is rewritten only if that frees so much of it, so that the cost per evicted item is bounded. */
const LEAST_SHARE = 1 / 4;
/** Severities of OpenTelemetry from ERROR on. */
export const ERROR_SEVERITY = 17;

export interface Evicted {
  readonly spans: number;
  readonly logs: number;
}

/** Called after each eviction. @param highest the highest class that is evicted. */
export type OnEvicted = (evicted: Evicted, highest: number) => void;

/**
 * Recent spans and log records within a limit of memory. When it is full, the oldest segment whose traces are mostly of the
 * lowest class is rewritten without them.
 */
export class TelemetryMemory {
  readonly classes = new TraceClasses();
  readonly #maxBytes: number;
  readonly #segmentBytes: number;
  readonly #onEvicted: OnEvicted;
  /** The rest of rewritten segments, older than `#recent`. Oldest first, the last one is open. */
  readonly #kept: Segment[] = [];
  /** Oldest first, the last one is open. */
  readonly #recent: Segment[] = [];
  readonly #arrivals = { spans: 0, logs: 0 };
  #evicting: Promise<void> | undefined;

  constructor(maxBytes: number, onEvicted: OnEvicted) {
    this.#maxBytes = maxBytes;
    this.#segmentBytes = Math.max(maxBytes / SEGMENTS, LEAST_SEGMENT_BYTES);
    this.#onEvicted = onEvicted;
    this.#recent.push(new Segment({ ...this.#arrivals }));
  }

  /** How many spans and log records have arrived. */
  get arrivals(): { readonly spans: number; readonly logs: number } {
    const { arrivals, spans, logs } = this.#open;
    return { spans: (arrivals?.spans ?? 0) + spans.count, logs: (arrivals?.logs ?? 0) + logs.count };
  }

  get heldBytes(): number {
    return this.segments.reduce((sum, { heldBytes }) => sum + heldBytes, this.classes.heldBytes);
  }

  get spanCount(): number {
    return this.segments.reduce((sum, { spans }) => sum + spans.count, 0);
  }

  get logCount(): number {
    return this.segments.reduce((sum, { logs }) => sum + logs.count, 0);
  }

  /** Oldest first. */
  get segments(): readonly Segment[] {
    return [...this.#kept, ...this.#recent];
  }

  /** Adds a segment from an earlier process, which is older than all others. False if there is no room for it. */
  restore(segment: Segment): boolean {
    if (this.heldBytes + segment.heldBytes > this.#maxBytes) return false;
    this.#kept.unshift(segment);
    return true;
  }

  /** Nothing more is added. */
  seal(): void {
    for (const segment of this.segments) segment.seal();
  }

  /** The segment for the next item. */
  get open(): Segment {
    if (this.#open.isFull(this.#segmentBytes)) {
      const next = new Segment(this.arrivals);
      this.#open.seal();
      this.#recent.push(next);
    }
    return this.#open;
  }

  /** Resolves when the memory is below its limit. */
  async makeRoom(): Promise<void> {
    if (this.heldBytes <= this.#maxBytes) return;
    this.#evicting ??= inSlices(this.#evict()).finally(() => (this.#evicting = undefined));
    await this.#evicting;
  }

  get #open(): Segment {
    return this.#recent.at(-1) as Segment;
  }

  *#evict(): Generator<undefined> {
    while (this.heldBytes > this.#maxBytes) {
      const choice = yield* this.#choose();
      if (choice === undefined) return;
      this.#rewrite(choice.segment, choice.highest);
      yield;
    }
  }

  /** The oldest segment that gives back enough, for the lowest class for which there is one. */
  *#choose(): Generator<undefined, { readonly segment: Segment; readonly highest: number } | undefined> {
    const candidates = [...this.#kept, ...this.#recent.slice(0, -1)];
    const shares = new Map<Segment, Float64Array>();
    for (let highest = ORDINARY; highest <= EXEMPLAR; highest++) {
      for (const segment of candidates) {
        const share = shares.get(segment) ?? this.#shares(segment);
        shares.set(segment, share);
        if ((share[highest] as number) >= LEAST_SHARE) return { segment, highest };
        yield;
      }
    }
    return undefined;
  }

  /** Which part of the items of a segment belongs to each class or a lower one. */
  #shares(segment: Segment): Float64Array {
    const counts = new Float64Array(EXEMPLAR + 1);
    const classes = this.#classesIn(segment);
    const { spans, logs } = segment;
    for (let row = 0; row < spans.count; row++) counts[classOfSpan(segment, row, classes)]!++;
    for (let row = 0; row < logs.count; row++) counts[classOfLog(segment, row, classes)]!++;
    let sum = 0;
    return counts.map((count) => (sum += count) / Math.max(1, segment.count));
  }

  /** Indexed by the number of the trace. */
  #classesIn({ traces }: Segment): Uint8Array {
    const classes = new Uint8Array(traces.count);
    for (let trace = 0; trace < traces.count; trace++) classes[trace] = this.classes.of(idOf(traces.bytesOf(trace)));
    return classes;
  }

  /** Replaces the segment by what is of a higher class. In one step, so that no query finds an item twice. */
  #rewrite(segment: Segment, highest: number): void {
    const classes = this.#classesIn(segment);
    const { spans, logs, traces } = segment;
    const evicted = { spans: 0, logs: 0 };
    let target: Segment | undefined;
    let copier: RecordCopier | undefined;
    const copierFor = (): RecordCopier => {
      const open = this.#openKept(segment);
      if (open !== target || copier === undefined) [target, copier] = [open, new RecordCopier(segment, open)];
      return copier;
    };
    for (let row = 0; row < spans.count; row++) {
      if (classOfSpan(segment, row, classes) <= highest) evicted.spans++;
      else copierFor().span(row);
    }
    for (let row = 0; row < logs.count; row++) {
      if (classOfLog(segment, row, classes) <= highest) evicted.logs++;
      else copierFor().log(row);
    }
    for (const [trace, one] of classes.entries()) {
      if (one !== ORDINARY && one <= highest) this.classes.forget(idOf(traces.bytesOf(trace)));
    }
    for (const list of [this.#kept, this.#recent]) {
      const at = list.indexOf(segment);
      if (at >= 0) list.splice(at, 1);
    }
    this.#onEvicted(evicted, highest);
  }

  /** The segment for what is kept of another one. */
  #openKept(from: Segment): Segment {
    const last = this.#kept.at(-1);
    if (last !== undefined && last !== from && !last.isSealed && !last.isFull(this.#segmentBytes)) return last;
    last?.seal();
    const next = new Segment();
    this.#kept.push(next);
    return next;
  }
}

/** A trace as `TraceClasses` knows it. */
export function idOf(traceId: Buffer): string {
  return traceId.toString('latin1');
}

function classOfSpan({ spans }: Segment, row: number, classes: Uint8Array): number {
  return classes[spans.cells.trace[row] as number] as number;
}

/** A record outside of traces has only its severity. */
function classOfLog({ logs }: Segment, row: number, classes: Uint8Array): number {
  const trace = logs.cells.trace[row] as number;
  if (trace > 0) return classes[trace - 1] as number;
  return (logs.cells.severity[row] as number) >= ERROR_SEVERITY ? ERROR : ORDINARY;
}
