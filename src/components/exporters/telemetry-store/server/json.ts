/** The answers as JSON. Times are nanoseconds since 1970, as text, because JavaScript's numbers do not hold them. */
import { toJsonObject, toJsonValue, type JsonObject } from '../../../../engine/otlp/json-values.ts';
import { atOnce } from '../../../../engine/time-slice.ts';
import { serviceIn, type StoredLog, type StoredSpan } from '../memory/record.ts';
import type { TraceSummary } from '../queries/find-traces.ts';
import { jsonText } from '../../../../engine/json-text.ts';

export function summaryToJson({ startTimeUnixNano, ...summary }: TraceSummary): JsonObject {
  return { ...summary, startTimeUnixNano: String(startTimeUnixNano) };
}

export function spanToJson(span: StoredSpan): JsonObject {
  const { traceId, spanId, parentSpanId, name, kind, status, scope } = span;
  return {
    traceId,
    spanId,
    ...(parentSpanId !== undefined && { parentSpanId }),
    name,
    kind,
    service: serviceIn(span.resource),
    startTimeUnixNano: String(span.startTimeUnixNano),
    durationMs: span.durationNs / 1e6,
    status: { code: status.code, ...(status.message !== '' && { message: status.message }) },
    attributes: toJsonObject(span.attributes),
    events: span.events.map(({ timeUnixNano, name: event, attributes }) => ({
      timeUnixNano: String(timeUnixNano),
      name: event,
      attributes: toJsonObject(attributes),
    })),
    links: span.links.map((link) => ({ ...link, attributes: toJsonObject(link.attributes) })),
    resource: toJsonObject(span.resource),
    scope,
  };
}

export function logToJson(log: StoredLog): JsonObject {
  const { traceId, spanId, severityNumber, severityText, eventName, scope } = log;
  return {
    timeUnixNano: String(log.timeUnixNano),
    severityNumber,
    severityText,
    service: serviceIn(log.resource),
    body: toJsonValue(log.body),
    ...(eventName !== '' && { eventName }),
    ...(traceId !== undefined && { traceId }),
    ...(spanId !== undefined && { spanId }),
    attributes: toJsonObject(log.attributes),
    resource: toJsonObject(log.resource),
    scope,
  };
}

/** An answer that is longer takes memory until it is read. */
const MAX_BYTES = 4 * 1024 * 1024;
/** Characters of JSON that are written between two pauses. */
const CHARACTERS_A_STEP = 16_384;

interface BoundedText {
  readonly text: string;
  readonly left: number;
}

/** The elements of an array as JSON, until they are too long together. @returns how many are left out. */
export function boundedArray<T>(
  items: readonly T[],
  toJson: (item: T) => JsonObject,
  budget: { bytes: number },
): BoundedText {
  return atOnce(boundedSteps(items, toJson, budget));
}

/** The same for long answers. Yields where other work may run. */
export function* boundedSteps<T>(
  items: readonly T[],
  toJson: (item: T) => JsonObject,
  budget: { bytes: number },
): Generator<undefined, BoundedText> {
  const parts = yield* partsWithin(items, toJson, budget);
  return { text: `[${parts.join(',')}]`, left: items.length - parts.length };
}

function* partsWithin<T>(
  items: readonly T[],
  toJson: (item: T) => JsonObject,
  budget: { bytes: number },
): Generator<undefined, readonly string[]> {
  const parts: string[] = [];
  let characters = 0;
  for (const item of items) {
    const text = jsonText(toJson(item));
    const bytes = Buffer.byteLength(text);
    if (budget.bytes < bytes) break;
    budget.bytes -= bytes;
    parts.push(text);
    characters += text.length;
    if (characters < CHARACTERS_A_STEP) continue;
    characters = 0;
    yield;
  }
  return parts;
}

/** The same for the last elements: the newest, in the order of time. */
export function* boundedEnd<T>(
  items: readonly T[],
  toJson: (item: T) => JsonObject,
  budget: { bytes: number },
): Generator<undefined, BoundedText> {
  const parts = (yield* partsWithin(items.toReversed(), toJson, budget)).toReversed();
  return { text: `[${parts.join(',')}]`, left: items.length - parts.length };
}

export function newBudget(): { bytes: number } {
  return { bytes: MAX_BYTES };
}
