import type { Span } from '../../../engine/otlp/span-reader.ts';
import { childrenByParent, descendantsOf, isLocalRoot, type ChildIndex, type Segment } from './segments.ts';

export interface TraceBufferLimits {
  /** How long a root waits for children that have not arrived. */
  readonly graceMs: number;
  /** How long spans wait for a root. */
  readonly maxAgeMs: number;
  readonly maxSpans: number;
  /** The limit for the size of the encoded spans. */
  readonly maxBytes: number;
}

/** The number of sent spans that are remembered, to recognise late children and repetitions. */
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
  readonly #sent = new Set<string>();
  #spanCount = 0;
  #sizeBytes = 0;

  constructor(limits: TraceBufferLimits) {
    this.#limits = limits;
  }

  get spanCount(): number {
    return this.#spanCount;
  }

  /** True if `take` must release traces early. */
  get isOverfull(): boolean {
    return this.#spanCount > this.#limits.maxSpans || this.#sizeBytes > this.#limits.maxBytes;
  }

  /** False if a span with the same ids is held or was already sent. */
  add(span: Span, nowMs: number): boolean {
    if (this.#sent.has(keyOf(span.traceId, span.spanId))) return false;
    const trace = this.#traceOf(span.traceId, nowMs);
    if (trace.spans.has(span.spanId)) return false;
    trace.spans.set(span.spanId, span);
    if (this.#isRoot(span)) trace.roots.set(span, this.#dueAtMs(trace, span, nowMs));
    this.#spanCount++;
    this.#sizeBytes += span.sizeBytes;
    return true;
  }

  /** Removes what is due: roots after their grace period, traces that are too old, and the oldest traces above the limits. */
  take(nowMs: number): Segment[] {
    const segments: Segment[] = [];
    for (const trace of this.#traces.values()) {
      const isOld = trace.sinceMs + this.#limits.maxAgeMs <= nowMs;
      if (isOld || this.isOverfull) this.#takeWhole(trace, segments);
      else this.#takeRoots(trace, segments, nowMs);
    }
    return segments;
  }

  /** Removes everything, also traces without a root. */
  takeAll(): Segment[] {
    const segments: Segment[] = [];
    for (const trace of this.#traces.values()) this.#takeWhole(trace, segments);
    return segments;
  }

  #traceOf(id: string, nowMs: number): Trace {
    const known = this.#traces.get(id);
    if (known !== undefined) return known;
    const trace: Trace = { id, sinceMs: nowMs, spans: new Map(), roots: new Map() };
    this.#traces.set(id, trace);
    return trace;
  }

  /** A span whose parent was already sent has nothing to wait for, so it is a root too. */
  #isRoot(span: Span): boolean {
    return isLocalRoot(span) || this.#wasSent(span.traceId, span.parentSpanId);
  }

  /** Late children wait for each other longer than a root waits for its children, and leave together. */
  #dueAtMs(trace: Trace, span: Span, nowMs: number): number {
    if (isLocalRoot(span)) return nowMs + this.#limits.graceMs;
    for (const [other, dueAtMs] of trace.roots) if (!isLocalRoot(other)) return dueAtMs;
    return nowMs + LATE_GRACE_PERIODS * this.#limits.graceMs;
  }

  #takeRoots(trace: Trace, segments: Segment[], nowMs: number): void {
    const due = [...trace.roots].filter(([, dueAtMs]) => dueAtMs <= nowMs).map(([root]) => root);
    if (due.length === 0) return;
    this.#takeSegments(trace, { roots: due, index: childrenByParent(trace.spans.values()) }, segments);
  }

  /** Spans without a known parent become roots. In a cycle of parents, the first span does. */
  #takeWhole(trace: Trace, segments: Segment[]): void {
    const orphans = [...trace.spans.values()].filter((span) => !trace.spans.has(span.parentSpanId ?? ''));
    for (const orphan of orphans) trace.roots.set(orphan, 0);
    const index = childrenByParent(trace.spans.values());
    this.#takeSegments(trace, { roots: [...trace.roots.keys()], index }, segments);
    for (const first of trace.spans.values()) this.#takeSegments(trace, { roots: [first], index }, segments);
  }

  /** The index may contain spans that were already taken. */
  #takeSegments(trace: Trace, { roots, index }: Cut, segments: Segment[]): void {
    const isElsewhere = (span: Span): boolean => trace.roots.has(span) || !trace.spans.has(span.spanId);
    const taken = roots.map((root) => ({
      root,
      children: descendantsOf(root, index, isElsewhere),
      parentAlreadySent: this.#wasSent(root.traceId, root.parentSpanId),
    }));
    for (const { root, children } of taken) for (const span of [root, ...children]) this.#remove(trace, span);
    segments.push(...taken);
    if (trace.spans.size === 0) this.#traces.delete(trace.id);
  }

  #remove(trace: Trace, span: Span): void {
    trace.spans.delete(span.spanId);
    trace.roots.delete(span);
    this.#spanCount--;
    this.#sizeBytes -= span.sizeBytes;
    this.#remember(keyOf(span.traceId, span.spanId));
  }

  #wasSent(traceId: string, spanId: string | undefined): boolean {
    return spanId !== undefined && this.#sent.has(keyOf(traceId, spanId));
  }

  #remember(key: string): void {
    this.#sent.add(key);
    if (this.#sent.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#sent) {
      this.#sent.delete(oldest);
      return;
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
}

function keyOf(traceId: string, spanId: string): string {
  return traceId + spanId;
}
