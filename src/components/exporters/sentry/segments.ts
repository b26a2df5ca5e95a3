import type { Span } from '../../../engine/otlp/span-reader.ts';

/** A local root with the spans below it that run in the same service: what becomes one transaction. */
export interface Segment {
  readonly root: Span;
  /** Without the root; each before the spans below it, and these before the next one beside it. */
  readonly children: readonly Span[];
  /** Whether the root is a child that came after its parent had been sent. */
  readonly parentAlreadySent: boolean;
}

/** The spans of a trace by the ids of their parents. */
export type ChildIndex = ReadonlyMap<string, readonly Span[]>;

/**
 * The spans below `root` by parent ids, not beyond those that belong elsewhere, depth first.
 * Deep chains are walked without recursion, because their depth is the sender's choice.
 */
export function descendantsOf(root: Span, index: ChildIndex, isElsewhere: (span: Span) => boolean): Span[] {
  const found: Span[] = [];
  const next = [root];
  for (let span = next.pop(); span !== undefined; span = next.pop()) {
    if (span !== root) found.push(span);
    // A span has one parent, so only the root can be met again, in a circle.
    for (const child of index.get(span.spanId) ?? []) if (child !== root && !isElsewhere(child)) next.push(child);
  }
  return found;
}

export function childrenByParent(spans: Iterable<Span>): ChildIndex {
  const index = new Map<string, Span[]>();
  for (const span of spans) {
    if (span.parentSpanId === undefined) continue;
    const siblings = index.get(span.parentSpanId);
    if (siblings === undefined) index.set(span.parentSpanId, [span]);
    else siblings.push(span);
  }
  return index;
}
