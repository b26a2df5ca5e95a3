import type { AnyValue } from '../../../engine/otlp/any-value.ts';
import type { Span, SpanLink } from '../../../engine/otlp/span-reader.ts';
import { environmentOf, platformOf, releaseOf, type EventSettings } from './event-origin.ts';
import { toJsonValue, toSeconds, type JsonValue } from '../../../engine/otlp/json-values.ts';
import { isLocalRoot, type Segment } from './segments.ts';
import { spanAttributes } from './span-attributes.ts';
import { semanticsOf, statusOf } from './span-semantics.ts';
import type { Version } from './size-limit.ts';

/** Returns the JSON of a span of one segment. */
export type SpanEncoder = (span: Span, version: Version) => string;

/** Limits for the attributes that every span of a segment repeats. */
const [MAX_SHARED_CHARACTERS, MAX_SHARED_TEXT] = [8192, 200];
const MAX_NAME_CHARACTERS = 1024;

/**
 * Encodes spans as items of Sentry's span protocol, in which each attribute has a type.
 * https://develop.sentry.dev/sdk/telemetry/spans/span-protocol/
 */
export function spanEncoder(segment: Segment, settings: EventSettings): SpanEncoder {
  const { root } = segment;
  const shared = sharedAttributes(segment, settings);
  return (span, version) => {
    const semantics = semanticsOf(span);
    const isSegment = span === root && isLocalRoot(root);
    let attributes = shared.json;
    for (const [name, value] of version.hasData ? spanAttributes(span, semantics, settings) : []) {
      if (!shared.names.has(name)) attributes += encodeAttribute(name, value, version.maxCharacters);
    }
    if (isSegment) attributes += encodeAttribute('sentry.segment.name.source', semantics.source);
    attributes += encodeAttribute('sentry.kind', span.kind);
    return `${encodeHead(span, { name: semantics.name, isSegment, version, settings })},"attributes":{${attributes.slice(1)}}}`;
  };
}

interface Heading {
  readonly name: string;
  readonly isSegment: boolean;
  readonly version: Version;
  readonly settings: EventSettings;
}

/** The exporter has checked the ids. Without the end of the object. */
function encodeHead(span: Span, { name, isSegment, version, settings }: Heading): string {
  const start = toSeconds(span.startTimeUnixNano);
  const end = Math.max(start, toSeconds(span.endTimeUnixNano));
  const status = statusOf(span);
  const text = name === '' ? '<unlabeled span>' : name.slice(0, Math.min(version.maxCharacters, MAX_NAME_CHARACTERS));
  const parent = span.parentSpanId === undefined ? '' : `"parent_span_id":"${span.parentSpanId}",`;
  const links = span.links.length === 0 || !version.hasData ? '' : `,"links":${encodeLinks(span.links, settings)}`;
  return (
    `{"trace_id":"${span.traceId}",${parent}"span_id":"${span.spanId}","name":${JSON.stringify(text)},` +
    `"status":"${status === 'ok' || status === 'cancelled' ? 'ok' : 'error'}","is_segment":${isSegment},` +
    `"start_timestamp":${start},"end_timestamp":${end}${links}`
  );
}

function encodeLinks(links: readonly SpanLink[], settings: EventSettings): string {
  return JSON.stringify(links.map((link) => toTypedLink(link, settings)));
}

function toTypedLink({ traceId, spanId, isSampled, attributes }: SpanLink, { privacy }: EventSettings): object {
  const typed = [...attributes].map(
    ([name, value]) => [name, typedValue(privacy.clean(name, value) ?? null, Infinity)] as const,
  );
  return {
    trace_id: traceId,
    span_id: spanId,
    ...(isSampled !== undefined && { sampled: isSampled }),
    ...(typed.length > 0 && { attributes: Object.fromEntries(typed.filter(([, value]) => value !== undefined)) }),
  };
}

/** In JSON, with a comma before each. */
function sharedAttributes(
  { root, sentSegmentId }: Segment,
  settings: EventSettings,
): { json: string; names: Set<string> } {
  const names = new Set<string>();
  let json = '';
  const add = (name: string, value: AnyValue | undefined): void => {
    if (value === undefined || names.has(name) || json.length > MAX_SHARED_CHARACTERS) return;
    json += encodeAttribute(name.slice(0, MAX_SHARED_TEXT), value, MAX_SHARED_TEXT);
    names.add(name);
  };
  const isSegment = isLocalRoot(root);
  add('sentry.segment.id', isSegment ? root.spanId : sentSegmentId);
  if (isSegment) add('sentry.segment.name', semanticsOf(root).name);
  add('sentry.release', releaseOf(root.resource, settings));
  add('sentry.environment', environmentOf(root.resource, settings));
  add('sentry.platform', platformOf(root.resource));
  add('sentry.sdk.name', 'siphon');
  add('sentry.sdk.version', settings.version);
  add('sentry.trace_lifecycle', 'stream');
  for (const [name, value] of root.resource) add(name, settings.privacy.clean(name, value));
  return { json, names };
}

function encodeAttribute(name: string, value: AnyValue, maxCharacters = Infinity): string {
  if (typeof value === 'string' && value.length <= maxCharacters) {
    return `${beginningOf(name)}"string","value":${JSON.stringify(value)}}`;
  }
  const typed = typedValue(value, maxCharacters);
  return typed === undefined ? '' : `${beginningOf(name)}"${typed.type}","value":${JSON.stringify(typed.value)}}`;
}

const MAX_BEGINNINGS = 2000;
const beginnings = new Map<string, string>();

/** Senders repeat few names. */
function beginningOf(name: string): string {
  const known = beginnings.get(name);
  if (known !== undefined) return known;
  const text = `,${JSON.stringify(name)}:{"type":`;
  if (beginnings.size < MAX_BEGINNINGS && name.length <= 256) beginnings.set(name, text);
  return text;
}

interface TypedValue {
  readonly type: string;
  readonly value: JsonValue;
}

/** Undefined for a value without content. The protocol has no objects, so they become text. */
function typedValue(value: AnyValue, maxCharacters: number): TypedValue | undefined {
  if (value === null) return undefined;
  if (typeof value === 'string') return textValue(value, maxCharacters);
  if (typeof value === 'boolean') return { type: 'boolean', value };
  if (typeof value === 'number' && Number.isFinite(value)) {
    return { type: Number.isSafeInteger(value) ? 'integer' : 'double', value };
  }
  const json = toJsonValue(value);
  if (typeof json === 'string') return textValue(json, maxCharacters);
  const isPlain = Array.isArray(json) && json.every((one) => typeof one !== 'object');
  if (isPlain && JSON.stringify(json).length <= maxCharacters) return { type: 'array', value: json };
  return textValue(JSON.stringify(json), maxCharacters);
}

function textValue(text: string, maxCharacters: number): TypedValue {
  return { type: 'string', value: text.length <= maxCharacters ? text : `${text.slice(0, maxCharacters)}…` };
}
