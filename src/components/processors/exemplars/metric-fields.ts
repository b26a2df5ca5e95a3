import { fieldTags, temporalities } from '../../../engine/otlp/schema.ts';
import type { WireReader } from '../../../engine/otlp/wire-reader.ts';

const METRIC = fieldTags('Metric');
/** The data of the other types has the same tags. */
const DATA = fieldTags('Sum');

/** Nanoseconds in one unit. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ['s', 1e9],
  ['ms', 1e6],
  ['us', 1e3],
  ['ns', 1],
]);
const MAX_UNIT_BYTES = 16;

/** How the points of a metric measure. */
export interface Measure {
  /** Nanoseconds in one unit of the values. */
  readonly unitNs: number;
  readonly isCounter: boolean;
}

/** A metric whose points may get exemplars. */
export interface MetricFields {
  readonly measure: Measure;
  readonly isDelta: boolean;
  /** Reads the message with the points. */
  readonly data: WireReader;
}

/** The place of the name of a metric, before its length; -1 without a name. Encoders write it first. */
export function placeOfName(metric: WireReader): number {
  while (!metric.done) {
    const tag = metric.tag();
    if (tag === METRIC.name) return metric.position;
    metric.skip(tag);
  }
  return -1;
}

/** Only counters, and histograms with bounds and a unit of time, can be compared with spans. Undefined for others. */
export function readMetric(metric: WireReader): MetricFields | undefined {
  let unit = '';
  let data: WireReader | undefined;
  let isCounter = false;
  while (!metric.done) {
    const tag = metric.tag();
    if (tag === METRIC.unit) unit = metric.string(MAX_UNIT_BYTES);
    else if (tag === METRIC.sum || tag === METRIC.histogram) {
      data = metric.message();
      isCounter = tag === METRIC.sum;
    } else metric.skip(tag);
  }
  const unitNs = isCounter ? 1 : UNITS.get(unit);
  if (data === undefined || unitNs === undefined) return undefined;
  const { temporality, isMonotonic } = traitsOf(data);
  const isDelta = temporality === temporalities.delta;
  if (!isDelta && temporality !== temporalities.cumulative) return undefined;
  return isCounter && !isMonotonic ? undefined : { measure: { unitNs, isCounter }, isDelta, data };
}

/** Keeps the position of the reader. */
function traitsOf(data: WireReader): { readonly temporality: number; readonly isMonotonic: boolean } {
  const { position } = data;
  let temporality = 0;
  let isMonotonic = false;
  while (!data.done) {
    const tag = data.tag();
    if (tag === DATA.aggregation_temporality) temporality = data.varint();
    else if (tag === DATA.is_monotonic) isMonotonic = data.varint() !== 0;
    else data.skip(tag);
  }
  data.position = position;
  return { temporality, isMonotonic };
}
