import { textOf, type AnyValue } from '../../../engine/otlp/any-value.ts';
import { cleanText } from '../../../privacy/privacy.ts';
import type { Span } from '../../../engine/otlp/span-reader.ts';
import type { EventSettings } from './event-origin.ts';
import type { SpanSemantics } from './span-semantics.ts';

const ORIGIN = 'auto.otlp';

/** Written below, or instructions for this exporter. */
const OWN = new Set(['sentry.op', 'sentry.origin', 'sentry.dsc', 'sentry.custom_span_name', 'sentry.source']);
const QUERIES = new Set(['db.query.text', 'db.statement']);

/** The instrumentation that recorded a span, as the sender names it; otherwise OTLP. */
export function spanOrigin({ attributes }: Span): string {
  return textOf(attributes, 'sentry.origin') ?? ORIGIN;
}

/** The attributes of a span as they leave, with those that Sentry needs. */
export function* spanAttributes(
  span: Span,
  { op, description }: SpanSemantics,
  { privacy }: EventSettings,
): Generator<readonly [name: string, value: AnyValue]> {
  for (const [name, value] of span.attributes) {
    if (OWN.has(name)) continue;
    const cleaned = QUERIES.has(name) ? privacy.clean(name, description) : privacy.clean(name, value);
    if (cleaned !== undefined) yield [name, cleaned];
  }
  yield ['sentry.op', op];
  yield ['sentry.origin', spanOrigin(span)];
  if (span.status.message !== '') yield ['sentry.status.message', cleanText(span.status.message)];
}
