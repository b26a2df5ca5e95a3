/**
 * Leaves out the spans of a pool that had an idle connection. They stand between the queries of a loop, so that Sentry does
 * not recognise the loop: https://github.com/getsentry/sentry/issues/93090
 */
import { HAD_IDLE_CONNECTION } from '../../../metrics/postgres-sessions.ts';
import type { Span } from '../../../engine/otlp/span-reader.ts';
import type { Segment } from './segments.ts';

const NAME = 'pg-pool.connect';
/** A sender that does not report it: an idle connection comes within microseconds, and a busy process takes longer. */
const MAX_NANO = 1_000_000n;

/** The segment without them, or the same segment. A span with a child opened a connection. */
export function withoutIdleConnections(segment: Segment): Segment {
  const { children } = segment;
  if (!children.some(wasIdle)) return segment;
  const parents = new Set(children.map(({ parentSpanId }) => parentSpanId));
  return { ...segment, children: children.filter((span) => !wasIdle(span) || parents.has(span.spanId)) };
}

function wasIdle(span: Span): boolean {
  if (span.name !== NAME) return false;
  const { startTimeUnixNano, endTimeUnixNano, status, events, links, attributes } = span;
  const isPlain = status.code !== 'error' && events.length === 0 && links.length === 0;
  const hadIdle = attributes.get(HAD_IDLE_CONNECTION) ?? endTimeUnixNano - startTimeUnixNano < MAX_NANO;
  return isPlain && hadIdle === true;
}
