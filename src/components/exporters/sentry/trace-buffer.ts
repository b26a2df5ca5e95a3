import type { Span } from '../../../engine/otlp/span-reader.ts';
import { childrenByParent, descendantsOf, type ChildIndex, type Segment } from './segments.ts';

export interface TraceBufferLimits {
  /** How long a root waits for children that are still on their way. */
  readonly graceMs: number;
  /** How long spans wait for a root. */
  readonly maxAgeMs: number;
  readonly maxSpans: number;
  /** Of the encoded spans. */
  readonly maxBytes: number;
}

/** How many sent spans are remembered, to recognise children and repetitions that come late. */
const MAX_REMEMBERED = 10_000;

/**
 * Holds the spans of each trace until their local root has come: a span is exported when it ends, so children
 * come before their root, and in other requests. Times are those of one monotonic clock.
 */
export class TraceBuffer {
  readonly #limits: TraceBufferLimits;
  /** In the order of their first spans. */
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

  /** Whether `take` has to let go of traces before their time. */
  get isOverfull(): boolean {
    return this.#spanCount > this.#limits.maxSpans || this.#sizeBytes > this.#limits.maxBytes;
  }

  /** False if a span with its ids is held or was sent already. */
  add(span: Span, nowMs: number): boolean {
    if (this.#sent.has(keyOf(span.traceId, span.spanId))) return false;
    const trace = this.#traceOf(span.traceId, nowMs);
    if (trace.spans.has(span.spanId)) return false;
    trace.spans.set(span.spanId, span);
    if (this.#isRoot(span)) trace.roots.set(span, nowMs + this.#limits.graceMs);
    this.#spanCount++;
    this.#sizeBytes += span.sizeBytes;
    return true;
  }

  /** Removes what is due: roots whose grace is over, traces that are too old, and the oldest while there are too many. */
  take(nowMs: number): Segment[] {
    const segments: Segment[] = [];
    for (const trace of this.#traces.values()) {
      const isOld = trace.sinceMs + this.#limits.maxAgeMs <= nowMs;
      if (isOld || this.isOverfull) this.#takeWhole(trace, segments);
      else this.#takeRoots(trace, segments, nowMs);
    }
    return segments;
  }

  /** Removes everything, whether its roots have come or not. */
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

  /** A span whose parent is gone for good has nothing to wait for, so it is a root too. */
  #isRoot(span: Span): boolean {
    const { parentSpanId, parentIsRemote, kind } = span;
    if (parentSpanId === undefined || parentIsRemote === true || kind === 'server' || kind === 'consumer') return true;
    return this.#sent.has(keyOf(span.traceId, parentSpanId));
  }

  #takeRoots(trace: Trace, segments: Segment[], nowMs: number): void {
    const due = [...trace.roots].filter(([, dueAtMs]) => dueAtMs <= nowMs).map(([root]) => root);
    if (due.length === 0) return;
    this.#takeSegments(trace, { roots: due, index: childrenByParent(trace.spans.values()) }, segments);
  }

  /** Orphans, spans whose parents are not here, become roots; of a circle of parents, whichever stands first. */
  #takeWhole(trace: Trace, segments: Segment[]): void {
    const orphans = [...trace.spans.values()].filter((span) => !trace.spans.has(span.parentSpanId ?? ''));
    for (const orphan of orphans) trace.roots.set(orphan, 0);
    const index = childrenByParent(trace.spans.values());
    this.#takeSegments(trace, { roots: [...trace.roots.keys()], index }, segments);
    for (const first of trace.spans.values()) this.#takeSegments(trace, { roots: [first], index }, segments);
  }

  /** The index may know spans that are taken already. */
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

/** Which segments are taken out of a trace. */
interface Cut {
  readonly roots: readonly Span[];
  readonly index: ChildIndex;
}

interface Trace {
  readonly id: string;
  readonly sinceMs: number;
  readonly spans: Map<string, Span>;
  /** When the grace of each root is over. */
  readonly roots: Map<Span, number>;
}

function keyOf(traceId: string, spanId: string): string {
  return traceId + spanId;
}
