/** Converts telemetry to the types of JSON. */
import type { AnyValue } from './any-value.ts';

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };
export type JsonObject = Readonly<Record<string, JsonValue>>;

export function toJsonObject(values: Iterable<readonly [string, AnyValue]>): JsonObject {
  const entries: [string, JsonValue][] = [];
  for (const [key, value] of values) entries.push([key, toJsonValue(value)]);
  return Object.fromEntries(entries);
}

/** Seconds since 1970, to the microsecond. */
export function toSeconds(unixNano: bigint): number {
  return Number(unixNano / 1000n) / 1e6;
}

/** Numbers that JSON cannot represent exactly become text. */
export function toJsonValue(value: AnyValue): JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Map) return toJsonObject(value as ReadonlyMap<string, AnyValue>);
  return (value as readonly AnyValue[]).map(toJsonValue);
}
