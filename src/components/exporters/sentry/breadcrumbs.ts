import { numberOf, textOf } from '../../../engine/otlp/any-value.ts';
import type { Span, SpanEvent } from '../../../engine/otlp/span-reader.ts';
import { cleanName, cleanText } from '../../../privacy/privacy.ts';
import { cleanedAttributes, type EventSettings } from './event-origin.ts';
import { toSeconds, type JsonObject } from '../../../engine/otlp/json-values.ts';

/** The number that Sentry's SDKs keep. */
const MAX_BREADCRUMBS = 100;

/** The last events of spans before a time, except exceptions: the trail that leads to an error. */
export function breadcrumbsOf(spans: Iterable<Span>, until: bigint, settings: EventSettings): readonly JsonObject[] {
  const events: SpanEvent[] = [];
  for (const span of spans) {
    for (const event of span.events) if (event.name !== 'exception' && event.timeUnixNano <= until) events.push(event);
  }
  const sorted = events.toSorted((a, b) =>
    a.timeUnixNano < b.timeUnixNano ? -1 : Number(a.timeUnixNano > b.timeUnixNano),
  );
  return sorted.slice(-MAX_BREADCRUMBS).map((event) => toBreadcrumb(event, settings));
}

function toBreadcrumb({ timeUnixNano, name, attributes }: SpanEvent, settings: EventSettings): JsonObject {
  const message = textOf(attributes, 'message');
  const severity = numberOf(attributes, 'log.severity_number') ?? 0;
  return {
    timestamp: toSeconds(timeUnixNano),
    type: 'default',
    category: cleanName(name),
    level: severity >= 17 ? 'error' : severity >= 13 ? 'warning' : 'info',
    ...(message === undefined ? {} : { message: cleanText(message) }),
    data: cleanedAttributes(attributes, settings),
  };
}
