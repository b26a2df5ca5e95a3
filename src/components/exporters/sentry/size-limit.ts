import type { ErrorEvent } from './error-event.ts';
import type { EventSettings } from './event-origin.ts';
import type { JsonObject } from '../../../engine/otlp/json-values.ts';
import type { Segment } from './segments.ts';
import { transactionSpans, type SentrySpan, type Transaction } from './transaction.ts';

/** Relay's limit for an event. https://develop.sentry.dev/sdk/data-model/envelopes/#size-limits */
export const MAX_EVENT_BYTES = 1024 * 1024;
/** Relay drops the spans beyond this without a trace, although it accepts a larger event. */
const MAX_SPANS_BYTES = 800 * 1024;
const SPANS_START = ',"spans":[';

/** The content that a version of a payload keeps. The first version that fits is sent. */
export interface Version {
  /** Longer texts are cut. */
  readonly maxCharacters: number;
  readonly hasData: boolean;
}

/** Texts are shortened before anything is left out. 1,000 spans of the last version always fit. */
const VERSIONS: readonly Version[] = [
  { maxCharacters: Infinity, hasData: true },
  { maxCharacters: 1024, hasData: true },
  { maxCharacters: 256, hasData: true },
  { maxCharacters: 64, hasData: true },
  { maxCharacters: 64, hasData: false },
  { maxCharacters: 16, hasData: false },
];

/**
 * The JSON of a transaction within the limits; undefined if it is too large without texts and data. Spans are converted
 * one after another, so that a segment of any size takes little memory. Yields where other work may run.
 */
export function* fitTransaction(
  transaction: Transaction,
  segment: Segment,
  settings: EventSettings,
): Generator<undefined, Buffer | undefined> {
  for (const version of VERSIONS) {
    const spans = yield* encodeSpans(segment, settings, version);
    if (spans === undefined) continue;
    const end = `${SPANS_START}${spans.join(',')}]}`;
    const heads = VERSIONS.map((of) => () => shortened(of.hasData ? transaction : withoutData(transaction), of));
    const head = firstWithin(heads, MAX_EVENT_BYTES - Buffer.byteLength(end));
    return head === undefined ? undefined : Buffer.from(head.slice(0, -1) + end);
  }
  return undefined;
}

/** The JSON of all spans; undefined if they do not fit. */
function* encodeSpans(
  segment: Segment,
  settings: EventSettings,
  version: Version,
): Generator<undefined, readonly string[] | undefined> {
  const parts: string[] = [];
  let room = MAX_SPANS_BYTES;
  for (const span of transactionSpans(segment, settings)) {
    yield;
    const part = encodeWithin(shortened(version.hasData ? span : spanWithoutData(span), version), room - 1);
    if (part === undefined) return undefined;
    room -= part.bytes + 1;
    parts.push(part.json);
  }
  return parts;
}

/** The JSON of an error event within the limit, with long texts cut and then without its extra data; or undefined. */
export function fitErrorEvent(event: ErrorEvent): Buffer | undefined {
  const { extra: _, ...rest } = event;
  const versions = VERSIONS.map((version) => () => shortened(version.hasData ? event : rest, version));
  const payload = firstWithin(versions, MAX_EVENT_BYTES);
  return payload === undefined ? undefined : Buffer.from(payload);
}

/** JSON with its length in UTF-8. */
interface Encoded {
  readonly json: string;
  readonly bytes: number;
}

/** The first version of a span that fits; undefined if none does. */
export function fitSpan(encode: (version: Version) => string, maxBytes: number): Encoded | undefined {
  for (const version of VERSIONS) {
    const json = encode(version);
    const bytes = json.length > maxBytes ? Infinity : Buffer.byteLength(json);
    if (bytes <= maxBytes) return { json, bytes };
  }
  return undefined;
}

/** The JSON of the first value that fits. */
function firstWithin(values: readonly (() => unknown)[], maxBytes: number): string | undefined {
  for (const value of values) {
    const part = encodeWithin(value(), maxBytes);
    if (part !== undefined) return part.json;
  }
  return undefined;
}

/** The JSON of a value; undefined if it is longer. Takes a bounded time for any value. */
function encodeWithin(value: unknown, maxBytes: number): Encoded | undefined {
  if (minimumBytes(value, maxBytes) > maxBytes) return undefined;
  const json = JSON.stringify(value);
  const bytes = Buffer.byteLength(json);
  return bytes <= maxBytes ? { json, bytes } : undefined;
}

/** A lower limit for the size of the JSON. Stops above `maxBytes`. */
function minimumBytes(value: unknown, maxBytes: number): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 1;
  let bytes = 2;
  for (const key in value) {
    bytes += Array.isArray(value) ? 1 : key.length + 4;
    bytes += minimumBytes((value as Readonly<Record<string, unknown>>)[key], maxBytes - bytes);
    if (bytes > maxBytes) break;
  }
  return bytes;
}

function withoutData(transaction: Transaction): Transaction {
  const { trace, response } = transaction.contexts;
  const contexts = { trace: spanWithoutData(trace), ...(response === undefined ? {} : { response }) };
  return { ...transaction, contexts };
}

function spanWithoutData(span: SentrySpan): SentrySpan {
  return { ...span, data: essential(span), links: [] };
}

const ESSENTIAL = new Set(['sentry.op', 'sentry.origin', 'sentry.parent_span_already_sent', 'otel.kind']);

function essential({ data }: SentrySpan): JsonObject {
  return Object.fromEntries(Object.entries(data).filter(([key]) => ESSENTIAL.has(key)));
}

function shortened<T>(value: T, { maxCharacters }: Version): T {
  return maxCharacters === Infinity ? value : (cut(value, maxCharacters) as T);
}

/** Part of one would be another one. */
const NAMES = new Set(['event_id', 'trace_id', 'span_id', 'parent_span_id', 'release', 'environment']);

function cut(value: unknown, maxCharacters: number): unknown {
  if (typeof value === 'string') return value.length <= maxCharacters ? value : `${value.slice(0, maxCharacters)}…`;
  if (Array.isArray(value)) return value.map((child) => cut(child, maxCharacters));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(entries.map(([key, child]) => [key, NAMES.has(key) ? child : cut(child, maxCharacters)]));
}
