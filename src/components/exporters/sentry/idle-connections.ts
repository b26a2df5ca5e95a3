/**
 * Leaves out the spans of a pool that had an idle connection. They last microseconds and stand between the queries of a
 * loop, so that Sentry does not recognise the loop: https://github.com/getsentry/sentry/issues/93090
 */
import type { Span } from '../../../engine/otlp/span-reader.ts';
import type { Segment } from './segments.ts';

const NAME = 'pg-pool.connect';
const MAX_NANO = 1_000_000n;

/** The segment without them, or the same segment. A span with a child opened a connection. */
export function withoutIdleConnections(segment: Segment): Segment {
  const { children } = segment;
  if (!children.some(isShort)) return segment;
  const parents = new Set(children.map(({ parentSpanId }) => parentSpanId));
  return { ...segment, children: children.filter((span) => !isShort(span) || parents.has(span.spanId)) };
}

function isShort({ name, startTimeUnixNano, endTimeUnixNano, status, events, links }: Span): boolean {
  const isPlain = status.code !== 'error' && events.length === 0 && links.length === 0;
  return name === NAME && isPlain && endTimeUnixNano - startTimeUnixNano < MAX_NANO;
}
