import type { Decisions, TraceHolder } from './decisions.ts';
import { HeldSpans, type HeldScope, type SpanList } from './held-spans.ts';

export interface WaitingTrace {
  readonly id: string;
  readonly spans: SpanList;
  readonly sinceMs: number;
  spanCount: number;
  /** The encoded spans. */
  sizeBytes: number;
  /** When something is to be decided next. */
  dueMs: number;
  /**
   * `undecided`: policies have not looked at it. `unreferred`: they do not want it, but an exemplar may still refer to it.
   * `sampled`: its spans are late.
   */
  state: 'undecided' | 'unreferred' | 'sampled';
}

/** How long traces wait, in milliseconds. */
export interface Waits {
  readonly decisionMs: number;
  /** Infinity if a local root changes nothing. */
  readonly afterRootMs: number;
}

/** The traces that are not decided, in the order of their first spans. All times are from one monotonic clock. */
export class WaitingTraces implements TraceHolder {
  readonly spans = new HeldSpans();
  readonly #decisions: Decisions;
  readonly #waits: Waits;
  readonly #traces = new Map<string, WaitingTrace>();

  constructor(decisions: Decisions, waits: Waits) {
    this.#decisions = decisions;
    this.#waits = waits;
  }

  get count(): number {
    return this.#traces.size;
  }

  /** In the order of their first spans. Traces may be added and removed meanwhile. */
  all(): IterableIterator<WaitingTrace> {
    return this.#traces.values();
  }

  holds(traceId: string): boolean {
    return this.#traces.has(traceId);
  }

  onReference(traceId: string): void {
    const trace = this.#traces.get(traceId);
    if (trace?.state === 'unreferred') trace.dueMs = 0;
  }

  /** The trace of a span. Undefined if it is not sampled: then the span is lost. */
  traceOf(id: string, nowMs: number): WaitingTrace | undefined {
    const known = this.#traces.get(id);
    if (known !== undefined) return known;
    const isSampled = this.#decisions.isSampled(id);
    if (isSampled === false) return undefined;
    const trace: WaitingTrace = {
      id,
      spans: HeldSpans.emptyList(),
      sinceMs: nowMs,
      spanCount: 0,
      sizeBytes: 0,
      dueMs: isSampled === true ? nowMs : nowMs + this.#waits.decisionMs,
      state: isSampled === true ? 'sampled' : 'undecided',
    };
    this.#traces.set(id, trace);
    return trace;
  }

  /** Adds the encoded span in [start, end) of the scope's request. */
  add(trace: WaitingTrace, scope: HeldScope, { start, end }: { readonly start: number; readonly end: number }): void {
    this.spans.add(trace.spans, scope, start, end);
    trace.spanCount++;
    trace.sizeBytes += end - start;
  }

  /** A local root has arrived. */
  addRoot(trace: WaitingTrace, nowMs: number): void {
    if (trace.state === 'undecided') trace.dueMs = Math.min(trace.dueMs, nowMs + this.#waits.afterRootMs);
  }

  /** Remembers the decision. Its spans stay until they are released. */
  decide(trace: WaitingTrace, isSampled: boolean): void {
    this.#traces.delete(trace.id);
    this.#decisions.add(trace.id, isSampled);
  }

  /** Forgets all traces that are not decided. */
  clear(): void {
    for (const trace of this.#traces.values()) this.spans.release(trace.spans);
    this.#traces.clear();
  }
}
