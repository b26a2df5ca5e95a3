import type { CounterMetric, HistogramMetric, Labels } from '../../../../metrics/metric.ts';
import type { Attributes, MetricData } from '../../../../engine/otlp/metrics-writer.ts';
import type { Row } from '../../../../postgres/read-only-pool.ts';
import type { CountedMetric } from '../query.ts';
import { addDecimals } from './decimal-sum.ts';
import { labelValue, type ReportReplaced } from '../columns.ts';

/** One event and the series that counts it. */
export interface Occurrence {
  readonly metric: CounterMetric | HistogramMetric;
  /** The label columns. */
  readonly row: Row;
  /** For a histogram, or for a counter that adds values: the decimal number. */
  readonly value?: string;
}

/** The total of one series since counting started. */
export interface TotalSeries {
  readonly metric: string;
  readonly attributes: Attributes;
  readonly count: number;
  /** The exact sum of the values, as a decimal number; 0 for a counter of rows. */
  readonly sum: string;
  /** Empty unless it is a histogram. */
  readonly bucketCounts: readonly number[];
}

/** All totals of a query. Immutable: adding returns new totals, which become valid when they are stored. */
export class Totals {
  readonly #series: ReadonlyMap<string, TotalSeries>;
  /** The values within the budget of each label. They stay, because a counter does not end. */
  readonly #admitted: ReadonlyMap<string, ReadonlySet<string>>;

  private constructor(series: ReadonlyMap<string, TotalSeries>, admitted: ReadonlyMap<string, ReadonlySet<string>>) {
    this.#series = series;
    this.#admitted = admitted;
  }

  static readonly none = new Totals(new Map(), new Map());

  static of(series: readonly TotalSeries[]): Totals {
    const admitted = new Map<string, Set<string>>();
    for (const { attributes } of series)
      for (const [label, value] of Object.entries(attributes)) placesOf(admitted, label).add(value);
    return new Totals(new Map(series.map((one) => [keyOf(one.metric, one.attributes), one])), admitted);
  }

  get series(): ReadonlyMap<string, TotalSeries> {
    return this.#series;
  }

  /** The different values that the series have for these labels. */
  labelSets(labels: readonly string[]): readonly Attributes[] {
    const sets = new Map<string, Attributes>();
    for (const { attributes } of this.#series.values()) {
      const values = labels.map((label) => [label, attributes[label]] as const);
      sets.set(JSON.stringify(values), Object.fromEntries(values) as Attributes);
    }
    return [...sets.values()];
  }

  with(occurrences: readonly Occurrence[], report: ReportReplaced): Totals {
    if (occurrences.length === 0) return this;
    const series = new Map(this.#series);
    const admitted = copyOf(this.#admitted);
    const admit = (label: string, maxValues: number, value: string): boolean =>
      takePlace(placesOf(admitted, label), maxValues, value);
    for (const occurrence of occurrences) {
      const { metric, row } = occurrence;
      const attributes = attributesOf(row, metric.labels, admit, report);
      const key = keyOf(metric.name, attributes);
      series.set(key, increased(series.get(key) ?? zero(metric, attributes), occurrence));
    }
    return new Totals(series, admitted);
  }

  /** Adds missing series at 0, except those whose label value exceeds this share of the budget. */
  withZeros(zeros: readonly Occurrence[], shareOfBudget = 1): Totals {
    const series = new Map(this.#series);
    const admitted = copyOf(this.#admitted);
    for (const { metric, row } of zeros) {
      let isReplaced = false;
      const admit = (label: string, maxValues: number, value: string): boolean =>
        takePlace(placesOf(admitted, label), Math.ceil(maxValues * shareOfBudget), value);
      const attributes = attributesOf(row, metric.labels, admit, () => (isReplaced = true));
      const key = keyOf(metric.name, attributes);
      if (!isReplaced && !series.has(key)) series.set(key, zero(metric, attributes));
    }
    return series.size === this.#series.size ? this : new Totals(series, admitted);
  }
}

/** The points of `series`, and points without a value for the series in `gone`. */
export function metricsOf(
  metrics: readonly CountedMetric[],
  parts: { series: Iterable<TotalSeries>; gone: Iterable<TotalSeries>; startUnixMs: number },
): MetricData[] {
  const series = Map.groupBy(parts.series, ({ metric }) => metric);
  const gone = Map.groupBy(parts.gone, ({ metric }) => metric);
  return metrics
    .map((counted) => {
      const { metric } = counted;
      const present = series.get(metric.name) ?? [];
      const absent = (gone.get(metric.name) ?? []).map(({ attributes }) => ({ attributes, value: undefined }));
      return metricData(counted, present, absent, parts.startUnixMs);
    })
    .filter(({ points }) => points.length > 0);
}

function metricData(
  { metric, value: valueColumn }: CountedMetric,
  present: readonly TotalSeries[],
  absent: readonly { readonly attributes: Attributes; readonly value: undefined }[],
  startUnixMs: number,
): MetricData {
  const { name, unit, description } = metric;
  if (metric.kind === 'counter') {
    const counts = present.map(({ attributes, count, sum }) => {
      const value = valueColumn === undefined ? BigInt(count) : Number(sum);
      return { attributes, value, startUnixMs };
    });
    return { kind: 'sum', monotonic: true, temporality: 'cumulative', name, unit, description, points: [...counts, ...absent] }; // prettier-ignore
  }
  const distributions = present.map(({ attributes, count, sum, bucketCounts }) => ({
    attributes,
    value: { count, sum: Number(sum), bucketCounts },
    startUnixMs,
  }));
  return { kind: 'histogram', name, unit, description, bounds: metric.buckets, points: [...distributions, ...absent] };
}

function attributesOf(
  row: Row,
  labels: Labels,
  admit: (label: string, maxValues: number, value: string) => boolean,
  report: ReportReplaced,
): Attributes {
  return Object.fromEntries(
    Object.entries(labels).map(([label, values]) => {
      const kept = labelValue(row[label], values, (text, budget) => admit(label, budget.maxValues, text));
      if (kept.reason) report(label, kept.reason, 1);
      return [label, kept.value];
    }),
  );
}

function increased(series: TotalSeries, { metric, value }: Occurrence): TotalSeries {
  const sum = value === undefined ? series.sum : addDecimals(series.sum, value);
  const counted = { ...series, count: series.count + 1, sum };
  if (metric.kind === 'counter') return counted;
  const bucket = metric.buckets.findIndex((bound) => Number(value) <= bound);
  const at = bucket === -1 ? metric.buckets.length : bucket;
  return { ...counted, bucketCounts: series.bucketCounts.with(at, (series.bucketCounts[at] ?? 0) + 1) };
}

/** The series before its first row. */
export function emptied(series: TotalSeries): TotalSeries {
  return { ...series, count: 0, sum: '0', bucketCounts: series.bucketCounts.map(() => 0) };
}

function zero(metric: CounterMetric | HistogramMetric, attributes: Attributes): TotalSeries {
  const bucketCounts = metric.kind === 'counter' ? [] : Array.from({ length: metric.buckets.length + 1 }, () => 0);
  return { metric: metric.name, attributes, count: 0, sum: '0', bucketCounts };
}

function keyOf(metric: string, attributes: Attributes): string {
  return JSON.stringify([metric, ...Object.values(attributes)]);
}

function takePlace(places: Set<string>, maxValues: number, value: string): boolean {
  if (places.has(value)) return true;
  // These two values are not part of the budget.
  const taken = places.size - Number(places.has('other')) - Number(places.has('unknown'));
  if (taken >= maxValues) return false;
  places.add(value);
  return true;
}

function placesOf(admitted: Map<string, Set<string>>, label: string): Set<string> {
  const places = admitted.get(label) ?? new Set();
  admitted.set(label, places);
  return places;
}

function copyOf(admitted: ReadonlyMap<string, ReadonlySet<string>>): Map<string, Set<string>> {
  return new Map([...admitted].map(([label, values]) => [label, new Set(values)]));
}
