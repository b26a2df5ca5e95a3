/**
 * OTLP JSON in few words. A `bigint` is an integer, a `number` a double, in values and attributes alike.
 * Times are seconds after `EPOCH`.
 */
export type AttributeValue =
  | string
  | boolean
  | number
  | bigint
  | null
  | Uint8Array
  | readonly AttributeValue[]
  | { readonly [key: string]: AttributeValue };

export type Attributes = Readonly<Record<string, AttributeValue>>;

/** A part of a request, ready for `JSON.stringify`. */
export type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };

export interface Meta {
  readonly unit?: string;
  readonly help?: string;
}

export interface Common {
  readonly attributes?: Attributes;
  readonly start?: number;
  readonly time?: number;
  readonly noRecordedValue?: boolean;
  readonly exemplars?: readonly Exemplar[];
}

export interface NumberPoint extends Common {
  readonly value?: number | bigint;
}

export interface HistogramPoint extends Common {
  readonly count: bigint;
  readonly sum?: number;
  readonly min?: number;
  readonly max?: number;
  readonly bounds?: readonly number[];
  readonly counts?: readonly bigint[];
}

export interface SummaryPoint extends Common {
  readonly count: bigint;
  readonly sum: number;
  readonly quantiles?: readonly (readonly [quantile: number, value: number])[];
}

export interface ExponentialHistogramPoint extends Common {
  readonly count: bigint;
  readonly sum?: number;
  readonly scale: number;
  readonly zeroCount?: bigint;
  readonly positive?: readonly bigint[];
}

export interface Exemplar {
  readonly value: number | bigint;
  readonly time: number;
  readonly traceId?: string;
  readonly spanId?: string;
  readonly attributes?: Attributes;
}

export interface Scope {
  readonly name?: string;
  readonly version?: string;
  readonly schemaUrl?: string;
  readonly attributes?: Attributes;
}

export type Temporality = 'cumulative' | 'delta' | 'unspecified';

export const EPOCH = 1_790_000_000;

export function gauge(name: string, points: readonly NumberPoint[], meta: Meta = {}): Json {
  return { ...described(name, meta), gauge: { dataPoints: points.map(numberPoint) } };
}

/** A cumulative monotonic sum. */
export function counter(name: string, points: readonly NumberPoint[], meta: Meta = {}): Json {
  return sum(name, points, meta);
}

export function sum(
  name: string,
  points: readonly NumberPoint[],
  { temporality = 'cumulative', monotonic = true, ...meta }: Meta & { temporality?: Temporality; monotonic?: boolean },
): Json {
  const data = { dataPoints: points.map(numberPoint), aggregationTemporality: NUMBER_OF[temporality] };
  return { ...described(name, meta), sum: { ...data, isMonotonic: monotonic } };
}

export function histogram(
  name: string,
  points: readonly HistogramPoint[],
  { temporality = 'cumulative', ...meta }: Meta & { temporality?: Temporality } = {},
): Json {
  const dataPoints = points.map(({ counts = [], bounds = [], ...point }) => ({
    ...distribution(point),
    ...present({ min: point.min, max: point.max }),
    bucketCounts: counts.map(String),
    explicitBounds: bounds.map(double),
  }));
  return {
    ...described(name, meta),
    histogram: { dataPoints, aggregationTemporality: NUMBER_OF[temporality] },
  };
}

export function exponentialHistogram(
  name: string,
  points: readonly ExponentialHistogramPoint[],
  { temporality = 'cumulative', ...meta }: Meta & { temporality?: Temporality } = {},
): Json {
  const dataPoints = points.map(({ scale, zeroCount = 0n, positive = [], ...point }) => ({
    ...distribution(point),
    scale,
    zeroCount: String(zeroCount),
    positive: { offset: 0, bucketCounts: positive.map(String) },
  }));
  return {
    ...described(name, meta),
    exponentialHistogram: { dataPoints, aggregationTemporality: NUMBER_OF[temporality] },
  };
}

export function summary(name: string, points: readonly SummaryPoint[], meta: Meta = {}): Json {
  const dataPoints = points.map(({ quantiles = [], ...point }) => ({
    ...distribution(point),
    quantileValues: quantiles.map(([quantile, value]) => ({ quantile: double(quantile), value: double(value) })),
  }));
  return { ...described(name, meta), summary: { dataPoints } };
}

/** A metric without data. */
export function empty(name: string): Json {
  return { name };
}

/** The `ResourceMetrics` of one resource and one scope. */
export function from(resource: Attributes, scope: Scope, metrics: readonly Json[]): Json {
  const { name = '', version = '', schemaUrl = '', attributes = {} } = scope;
  return {
    resource: { attributes: keyValues(resource) },
    scopeMetrics: [{ scope: { name, version, attributes: keyValues(attributes) }, schemaUrl, metrics }],
  };
}

const NUMBER_OF: Readonly<Record<Temporality, number>> = { unspecified: 0, delta: 1, cumulative: 2 };

function described(name: string, { unit = '', help = '' }: Meta): { readonly [key: string]: Json } {
  return { name, unit, description: help };
}

function numberPoint({ value, ...point }: NumberPoint): Json {
  return { ...common(point), ...present({ [typeof value === 'bigint' ? 'asInt' : 'asDouble']: value }) };
}

function distribution(point: Common & { count: bigint; sum?: number }): { readonly [key: string]: Json } {
  return { ...common(point), count: String(point.count), ...present({ sum: point.sum }) };
}

function common({ attributes = {}, start = 0, time = 10, noRecordedValue = false, exemplars = [] }: Common): {
  readonly [key: string]: Json;
} {
  return {
    attributes: keyValues(attributes),
    startTimeUnixNano: nanoseconds(start),
    timeUnixNano: nanoseconds(time),
    ...(noRecordedValue ? { flags: 1 } : {}),
    ...(exemplars.length > 0 ? { exemplars: exemplars.map(exemplar) } : {}),
  };
}

function exemplar({ value, time, traceId = '', spanId = '', attributes = {} }: Exemplar): Json {
  return {
    ...present({ [typeof value === 'bigint' ? 'asInt' : 'asDouble']: value }),
    timeUnixNano: nanoseconds(time),
    traceId,
    spanId,
    filteredAttributes: keyValues(attributes),
  };
}

/** `-Infinity` stands for a time that is not known. */
function nanoseconds(seconds: number): string {
  return seconds === -Infinity ? '0' : String(BigInt(Math.round((EPOCH + seconds) * 1000)) * 1_000_000n);
}

function present(fields: Readonly<Record<string, number | bigint | undefined>>): { readonly [key: string]: Json } {
  const known = Object.entries(fields).filter((field): field is [string, number | bigint] => field[1] !== undefined);
  return Object.fromEntries(
    known.map(([key, value]) => [key, typeof value === 'bigint' ? String(value) : double(value)]),
  );
}

/** JSON has no word for these numbers; protobuf's JSON has. */
function double(value: number): Json {
  if (Object.is(value, -0)) return '-0';
  return Number.isFinite(value) ? value : String(value);
}

function keyValues(attributes: Attributes): Json[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: AttributeValue): Json {
  if (value === null) return {};
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'bigint') return { intValue: String(value) };
  if (typeof value === 'number') return { doubleValue: double(value) };
  if (value instanceof Uint8Array) return { bytesValue: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  return { kvlistValue: { values: keyValues(value as Attributes) } };
}
