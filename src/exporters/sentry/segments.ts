import type { Span } from '../../collector/otlp/span-reader.ts';

/** A local root with the spans below it that run in the same service: what becomes one transaction. */
export interface Segment {
  readonly root: Span;
  /** Without the root. */
  readonly children: readonly Span[];
  /** Whether the root is a child that came after its parent had been sent. */
  readonly parentAlreadySent: boolean;
}

/**
 * The spans below `root` by parent ids, not beyond other roots. The index is `childrenByParent` of the trace.
 * Deep chains are walked without recursion, because their depth is the sender's choice.
 */
export function descendantsOf(
  root: Span,
  index: ReadonlyMap<string, readonly Span[]>,
  isRoot: (span: Span) => boolean,
): Span[] {
  const found = new Set<Span>();
  const next = [root];
  for (let span = next.pop(); span !== undefined; span = next.pop()) {
    for (const child of index.get(span.spanId) ?? []) {
      if (child === root || isRoot(child) || found.has(child)) continue;
      found.add(child);
      next.push(child);
    }
  }
  return [...found];
}

export function childrenByParent(spans: Iterable<Span>): ReadonlyMap<string, readonly Span[]> {
  const index = new Map<string, Span[]>();
  for (const span of spans) {
    if (span.parentSpanId === undefined) continue;
    const siblings = index.get(span.parentSpanId);
    if (siblings === undefined) index.set(span.parentSpanId, [span]);
    else siblings.push(span);
  }
  return index;
}
