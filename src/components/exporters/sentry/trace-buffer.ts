import type { Span } from '../../../engine/otlp/span-reader.ts';
import { childrenByParent, descendantsOf, isLocalRoot, serviceOf, type ChildIndex, type Segment } from './segments.ts';

export interface TraceBufferLimits {
  /** How long a root waits for children that have not arrived. */
  readonly graceMs: number;
  /** How long spans wait for a root. */
  readonly maxAgeMs: number;
  readonly maxSpans: number;
  /** The limit for the memory of the spans, as `Span.heapBytes` estimates it. */
  readonly maxBytes: number;
}

/** At least so many sent spans are remembered, and less than twice as many, to recognise late children and repetitions. */
const MAX_REMEMBERED = 10_000;

const LATE_GRACE_PERIODS = 30;

/**
 * Holds the spans of each trace until their local root has arrived: a span is exported when it ends, so children arrive
 * before their root, in other requests. All times are from one monotonic clock.
 */
export class TraceBuffer {
  readonly #limits: TraceBufferLimits;
  /** In the order of the first spans. */
  readonly #traces = new Map<string, Trace>();
  readonly #sent = new SentSpans();
  #spanCount = 0;
  #heapBytes = 0;

  constructor(limits: TraceBufferLimits) {
    this.#limits = limits;
  }

  get spanCount(): number {
    return this.#spanCount;
  }

  /** True if `take` must release traces early. */
  get isOverfull(): boolean {
    return this.#spanCount > this.#limits.maxSpans || this.#heapBytes > this.#limits.maxBytes;
  }

  /** The id of the local root of a sent span. Empty if that is unknown; undefined if the span is. */
  sentSegmentOf(traceId: string, spanId: string | undefined): string | undefined {
    return this.#sent.segmentOf(traceId, spanId);
  }

  /** False if a span with the same ids is held or was already sent. */
  add(span: Span, nowMs: number): boolean {
    if (this.#sent.segmentOf(span.traceId, span.spanId) !== undefined) return false;
    const trace = this.#traceOf(span.traceId, nowMs);
    if (trace.spans.has(span.spanId)) return false;
    trace.spans.set(span.spanId, span);
    if (this.#isRoot(span)) trace.roots.set(span, this.#dueAtMs(trace, span, nowMs));
    this.#spanCount++;
    this.#heapBytes += span.heapBytes;
    return true;
  }

  /**
   * Removes what is due: roots after their grace period, traces that are too old, and the oldest traces above the limits.
   * Yields the segments of each trace when it is removed. Spans may be added meanwhile.
   */
  *take(nowMs: number): Generator<readonly Segment[]> {
    for (const trace of this.#traces.values()) {
      const isOld = trace.sinceMs + this.#limits.maxAgeMs <= nowMs;
      const segments = isOld || this.isOverfull ? this.#takeWhole(trace) : this.#takeRoots(trace, nowMs);
      if (segments.length > 0) yield segments;
    }
  }

  /** Removes everything, also traces without a root. */
  *takeAll(): Generator<readonly Segment[]> {
    for (const trace of this.#traces.values()) yield this.#takeWhole(trace);
  }

  #traceOf(id: string, nowMs: number): Trace {
    const known = this.#traces.get(id);
    if (known !== undefined) return known;
    const trace: Trace = { id, sinceMs: nowMs, spans: new Map(), roots: new Map(), lateDueAtMs: undefined };
    this.#traces.set(id, trace);
    return trace;
  }

  /** A span whose parent was already sent has nothing to wait for, so it is a root too. */
  #isRoot(span: Span): boolean {
    return isLocalRoot(span) || this.sentSegmentOf(span.traceId, span.parentSpanId) !== undefined;
  }

  /** Late children wait for each other longer than a root waits for its children, and leave together. */
  #dueAtMs(trace: Trace, span: Span, nowMs: number): number {
    if (isLocalRoot(span)) return nowMs + this.#limits.graceMs;
    trace.lateDueAtMs ??= nowMs + LATE_GRACE_PERIODS * this.#limits.graceMs;
    return trace.lateDueAtMs;
  }

  #takeRoots(trace: Trace, nowMs: number): readonly Segment[] {
    const due = [...trace.roots].filter(([, dueAtMs]) => dueAtMs <= nowMs).map(([root]) => root);
    if (due.length === 0) return [];
    if ((trace.lateDueAtMs ?? Infinity) <= nowMs) trace.lateDueAtMs = undefined;
    return this.#takeSegments(trace, { roots: due, index: childrenByParent(trace.spans.values()) });
  }

  /** Spans without a known parent become roots. In a cycle of parents, the first span does. */
  #takeWhole(trace: Trace): readonly Segment[] {
    const orphans = [...trace.spans.values()].filter((span) => !trace.spans.has(span.parentSpanId ?? ''));
    for (const orphan of orphans) trace.roots.set(orphan, 0);
    const index = childrenByParent(trace.spans.values());
    const segments = this.#takeSegments(trace, { roots: [...trace.roots.keys()], index });
    for (const first of trace.spans.values()) {
      for (const segment of this.#takeSegments(trace, { roots: [first], index })) segments.push(segment);
    }
    return segments;
  }

  /** The index may contain spans that were already taken. A span of another service than its parent's is a root too. */
  #takeSegments(trace: Trace, { roots, index }: Cut): Segment[] {
    const taken: Segment[] = [];
    const next = [...roots];
    for (const root of next) trace.roots.set(root, 0);
    const isElsewhere = (child: Span, parent: Span): boolean => {
      if (trace.roots.has(child) || !trace.spans.has(child.spanId)) return true;
      if (child.resource === parent.resource || serviceOf(child) === serviceOf(parent)) return false;
      trace.roots.set(child, 0);
      next.push(child);
      return true;
    };
    for (const root of next) {
      const children = descendantsOf(root, index, isElsewhere);
      const sentTo = this.sentSegmentOf(root.traceId, root.parentSpanId);
      taken.push({ root, children, parentAlreadySent: sentTo !== undefined, sentSegmentId: sentTo || undefined });
    }
    for (const { root, children, sentSegmentId = '' } of taken) {
      const segmentId = isLocalRoot(root) ? root.spanId : sentSegmentId;
      for (const span of [root, ...children]) this.#remove(trace, span, segmentId);
    }
    if (trace.spans.size === 0) this.#traces.delete(trace.id);
    return taken;
  }

  #remove(trace: Trace, span: Span, segmentId: string): void {
    trace.spans.delete(span.spanId);
    trace.roots.delete(span);
    this.#spanCount--;
    this.#heapBytes -= span.heapBytes;
    this.#sent.add(span, segmentId);
  }
}

/** Remembers sent spans. Most traces have none when a span arrives, so they are kept by trace. */
class SentSpans {
  /** The local root of each span; empty if it is unknown. The oldest traces come first. */
  readonly #traces = new Map<string, Map<string, string>>();
  #count = 0;

  segmentOf(traceId: string, spanId: string | undefined): string | undefined {
    return spanId === undefined ? undefined : this.#traces.get(traceId)?.get(spanId);
  }

  add({ traceId, spanId }: Span, segmentId: string): void {
    let spans = this.#traces.get(traceId);
    if (spans === undefined) this.#traces.set(traceId, (spans = new Map()));
    if (spans.size === MAX_REMEMBERED) this.#forgetFirst(spans);
    spans.set(spanId, segmentId);
    if (++this.#count === 2 * MAX_REMEMBERED) this.#forgetOldest();
  }

  #forgetFirst(spans: Map<string, string>): void {
    for (const spanId of spans.keys()) {
      spans.delete(spanId);
      this.#count--;
      return;
    }
  }

  #forgetOldest(): void {
    for (const [traceId, spans] of this.#traces) {
      if (this.#count - spans.size < MAX_REMEMBERED) return;
      this.#traces.delete(traceId);
      this.#count -= spans.size;
    }
  }
}

/** Selects the segments to take out of a trace. */
interface Cut {
  readonly roots: readonly Span[];
  readonly index: ChildIndex;
}

interface Trace {
  readonly id: string;
  readonly sinceMs: number;
  readonly spans: Map<string, Span>;
  /** The end of the grace period of each root. */
  readonly roots: Map<Span, number>;
  /** The end of the grace period of the late children that are roots. */
  lateDueAtMs: number | undefined;
}
