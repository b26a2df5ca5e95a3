import type { Attributes, MetricData, NumberPoint } from '../../../../engine/otlp/metrics-writer.ts';
import type { Row } from '../../../../postgres/read-only-pool.ts';
import { LabelValues, type ReportReplaced } from '../columns.ts';
import { numberOf } from '../columns.ts';
import type { ColumnMetric, GaugeQuery, Merge } from '../query.ts';

export interface SeriesReport {
  readonly replaced: ReportReplaced;
  readonly dropped: (reason: 'not_a_number' | 'unmergeable', count: number) => void;
}

interface Series {
  readonly column: string;
  readonly attributes: Attributes;
  readonly value: number;
  /** When counting started, if that is known. */
  readonly startUnixMs?: number | undefined;
}

/** The published series of one query, so that series that disappear can be marked as stale. */
export class GaugeSeries {
  readonly #metrics: readonly (readonly [string, ColumnMetric])[];
  readonly #since: string | undefined;
  readonly #labels = new LabelValues();
  #published: ReadonlyMap<string, Series> = new Map();

  constructor({ metrics, since }: Pick<GaugeQuery, 'metrics' | 'since'>) {
    this.#metrics = Object.entries(metrics);
    this.#since = since;
  }

  /** The series of these rows, to pass to `publish`. */
  fromRows(rows: readonly Row[], report: SeriesReport): ReadonlyMap<string, Series> {
    const labelsOf = this.#labels.reader(rows, report.replaced);
    const series = new Map<string, Series | undefined>();
    for (const row of rows) {
      for (const [column, { metric, merge }] of this.#metrics) {
        const value = numberOf(row[column]);
        if (value === undefined) continue;
        if (Number.isFinite(value)) {
          const attributes = labelsOf(row, metric.labels);
          add(series, { column, attributes, value, startUnixMs: this.#startOf(row) }, merge);
        } else report.dropped('not_a_number', 1);
      }
    }
    const unmergeable = [...series.values()].filter((one) => one === undefined).length;
    if (unmergeable > 0) report.dropped('unmergeable', unmergeable);
    return new Map([...series].filter((entry): entry is [string, Series] => entry[1] !== undefined));
  }

  /**
   * Sends the points of `next`, and a point without a value for each published series that is not in `next`. They count
   * as published when `send` has resolved.
   */
  async publish(
    next: ReadonlyMap<string, Series>,
    send: (metrics: MetricData[], points: number) => Promise<void>,
  ): Promise<void> {
    const gone = [...this.#published].filter(([key]) => !next.has(key)).map(([, series]) => series);
    const points = next.size + gone.length;
    if (points > 0) await send(this.#metricData(next, gone), points);
    this.#published = next;
  }

  #startOf(row: Row): number | undefined {
    return this.#since === undefined ? undefined : numberOf(row[this.#since]);
  }

  #metricData(next: ReadonlyMap<string, Series>, gone: readonly Series[]): MetricData[] {
    return this.#metrics
      .map(([column, { metric }]) => {
        const points: NumberPoint[] = [
          ...[...next.values()].filter((series) => series.column === column),
          ...gone
            .filter((series) => series.column === column)
            .map(({ attributes }) => ({ attributes, value: undefined })),
        ];
        return metricData(metric, points);
      })
      .filter(({ points }) => points.length > 0);
  }
}

function metricData(
  { kind, name, unit, description }: ColumnMetric['metric'],
  points: readonly NumberPoint[],
): MetricData {
  const described = { name, unit, description, points };
  return kind === 'counter'
    ? { kind: 'sum', monotonic: true, temporality: 'cumulative', ...described }
    : { kind: 'gauge', ...described };
}

/** Undefined marks a key whose points cannot be merged. */
function add(series: Map<string, Series | undefined>, one: Series, merge: Merge): void {
  const key = JSON.stringify([one.column, ...Object.values(one.attributes)]);
  if (!series.has(key)) {
    series.set(key, one);
    return;
  }
  const other = series.get(key);
  series.set(key, other && merge !== 'drop' ? { ...one, value: merged(other.value, one.value, merge) } : undefined);
}

function merged(a: number, b: number, merge: 'sum' | 'max'): number {
  return merge === 'sum' ? a + b : Math.max(a, b);
}
