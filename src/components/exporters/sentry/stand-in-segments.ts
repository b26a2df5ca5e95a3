/**
 * Keeps the spans of a trace together where their root cannot. Sentry knows spans only within a transaction and takes
 * 1,000 of them. Without a stand-in, each child of a job that is still running would be a transaction of its own.
 */
import { randomBytes } from 'node:crypto';
import { copyOf, type Span } from '../../../engine/otlp/span-reader.ts';
import { isLocalRoot, serviceOf, type Segment } from './segments.ts';

/** Relay's limit for one transaction. */
export const MAX_SPANS = 1000;

/** JSON is larger than the encoded spans; Sentry accepts 1 MiB. */
const MAX_ENCODED_BYTES = 400 * 1024;

/** Siblings without their parent become one segment, and a segment with too many spans becomes several. */
export function* withStandIns(segments: readonly Segment[]): Generator<Segment> {
  const siblings = Map.groupBy(segments, ({ root }) => (isLocalRoot(root) ? root : missingParentOf(root)));
  for (const group of siblings.values()) {
    const [first] = group as [Segment];
    if (group.length === 1) yield* withinLimit(first);
    else yield* standIns(group.flatMap(spansOf), first.root.parentSpanId, first.parentAlreadySent);
  }
}

/** The same text for spans that one missing parent would have joined; a parent is in the same service. */
function missingParentOf(span: Span): string {
  return [span.traceId, span.parentSpanId, serviceOf(span)].join(' ');
}

function* withinLimit(segment: Segment): Generator<Segment> {
  const { root, children } = segment;
  if (children.length <= MAX_SPANS) {
    yield segment;
    return;
  }
  const rest = children.slice(MAX_SPANS);
  yield { ...segment, children: children.slice(0, MAX_SPANS) };
  yield* standIns(rest, root.spanId, true);
}

function* standIns(spans: readonly Span[], parentSpanId: string | undefined, sent: boolean): Generator<Segment> {
  let [start, bytes] = [0, 0];
  for (let index = 0; index < spans.length; index++) {
    bytes += spans[index]!.sizeBytes;
    const isLast = index === spans.length - 1;
    const isFull = index + 1 - start === MAX_SPANS || bytes + (spans[index + 1]?.sizeBytes ?? 0) > MAX_ENCODED_BYTES;
    if (!isLast && !isFull) continue;
    yield standIn(spans.slice(start, index + 1), parentSpanId, sent);
    [start, bytes] = [index + 1, 0];
  }
}

/** Hangs below the missing parent, so that the trace is whole when the parent arrives in a transaction of its own. */
function standIn(spans: readonly Span[], parentSpanId: string | undefined, parentAlreadySent: boolean): Segment {
  const [first] = spans as [Span];
  const root: Span = {
    traceId: first.traceId,
    parentIsRemote: first.parentIsRemote,
    resource: first.resource,
    spanId: randomBytes(8).toString('hex'),
    parentSpanId,
    traceState: '',
    name: 'incomplete trace',
    kind: 'internal',
    startTimeUnixNano: spans.map((span) => span.startTimeUnixNano).reduce((a, b) => (b < a ? b : a)),
    endTimeUnixNano: spans.map((span) => span.endTimeUnixNano).reduce((a, b) => (b > a ? b : a)),
    attributes: new Map(),
    events: [],
    links: [],
    status: { code: 'unset', message: '' },
    sizeBytes: 0,
    heapBytes: 0,
  };
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const children = spans.map((span) =>
    ids.has(span.parentSpanId ?? '') ? span : { ...copyOf(span), parentSpanId: root.spanId },
  );
  return { root, children, parentAlreadySent, sentSegmentId: undefined, isStandIn: true };
}

function spansOf({ root, children }: Segment): readonly Span[] {
  return [root, ...children];
}
