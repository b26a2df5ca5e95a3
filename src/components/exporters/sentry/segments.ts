import { textOf, type KeyValueMap } from '../../../engine/otlp/any-value.ts';
import type { Span } from '../../../engine/otlp/span-reader.ts';

/** A local root with the spans below it in the same service. It becomes one transaction. */
export interface Segment {
  readonly root: Span;
  /** All spans except the root, depth first. */
  readonly children: readonly Span[];
  /** True if the root is a child that arrived after its parent was sent. */
  readonly parentAlreadySent: boolean;
  /** The root of the parent's segment, if it was sent. */
  readonly sentSegmentId: string | undefined;
  /** True if the root is not a span that was received. */
  readonly isStandIn?: true;
}

/** A span that begins the work of a service on a trace. */
export function isLocalRoot({ parentSpanId, parentIsRemote, kind }: Span): boolean {
  return parentSpanId === undefined || parentIsRemote === true || kind === 'server' || kind === 'consumer';
}

/** The root of a segment; undefined if it has not arrived. */
export function localRootOf({ root, isStandIn }: Segment): Span | undefined {
  return isStandIn || !isLocalRoot(root) ? undefined : root;
}

/** The spans of a trace by the ids of their parents. */
export type ChildIndex = ReadonlyMap<string, readonly Span[]>;

/**
 * The spans below `root` by parent ids, depth first, without those that belong to other segments.
 * Not recursive, because the sender decides how deep a chain is.
 */
export function descendantsOf(
  root: Span,
  index: ChildIndex,
  isElsewhere: (child: Span, parent: Span) => boolean,
): Span[] {
  const found: Span[] = [];
  const next = [root];
  for (let span = next.pop(); span !== undefined; span = next.pop()) {
    if (span !== root) found.push(span);
    // The last one is taken first, and siblings keep their order: many spans start in the same millisecond.
    for (const child of (index.get(span.spanId) ?? []).toReversed()) {
      // A span has one parent, so in a cycle only the root can appear again.
      if (child !== root && !isElsewhere(child, span)) next.push(child);
    }
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

/** Services whose names begin with the same characters are one service here. */
const MAX_NAME_CHARACTERS = 256;
const services = new WeakMap<KeyValueMap, string>();

/** The same text for all spans of one instance of a service. Its requests repeat the resource. */
export function serviceOf({ resource }: Span): string {
  const known = services.get(resource);
  if (known !== undefined) return known;
  const names = [textOf(resource, 'service.name'), textOf(resource, 'service.instance.id')];
  const service = JSON.stringify(names.map((name) => name?.slice(0, MAX_NAME_CHARACTERS)));
  services.set(resource, service);
  return service;
}
