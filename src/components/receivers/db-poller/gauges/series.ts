import { catalogue } from '../../../../packs/catalogue.ts';
import type { Metric } from '../../../../metrics/metric.ts';
import type { Attributes, MetricData, NumberPoint } from '../../../../engine/otlp/metrics-writer.ts';
import type { Row } from '../../../../postgres/read-only-pool.ts';
import { LabelValues, type ReportReplaced } from '../columns.ts';
import { numberOf } from '../number-of.ts';
import type { Merge, StatePoll } from '../query.ts';

export interface SeriesReport {
  readonly replaced: ReportReplaced;
  readonly dropped: (reason: 'not_a_number' | 'unmergeable', count: number) => void;
}

interface Series {
  /** The column that it comes from. */
  readonly metric: string;
  readonly attributes: Attributes;
  readonly value: number;
  /** When counting began, if that is known. */
  readonly startUnixMs?: number | undefined;
}

/** What one query has published, so that what is gone can be said to be gone. */
export class QuerySeries {
  readonly #metrics: readonly (readonly [string, Merge])[];
  readonly #described: Readonly<Record<string, Metric>>;
  readonly #since: string | undefined;
  readonly #labels = new LabelValues();
  #published: ReadonlyMap<string, Series> = new Map();

  /** @param described the metrics by the names of their columns. */
  constructor(query: StatePoll, described: Readonly<Record<string, Metric>> = catalogue) {
    this.#metrics = Object.entries(query.metrics) as [string, Merge][];
    this.#described = described;
    this.#since = query.since;
  }

  /** The series of these rows; `publish` makes them known. */
  fromRows(rows: readonly Row[], report: SeriesReport): ReadonlyMap<string, Series> {
    const labelsOf = this.#labels.reader(rows, report.replaced);
    const series = new Map<string, Series | undefined>();
    for (const row of rows) {
      for (const [metric, merge] of this.#metrics) {
        const value = numberOf(row[metric]);
        if (value === undefined) continue;
        if (Number.isFinite(value)) {
          const attributes = labelsOf(row, this.#described[metric]!.labels);
          add(series, { metric, attributes, value, startUnixMs: this.#startOf(row) }, merge);
        } else report.dropped('not_a_number', 1);
      }
    }
    const unmergeable = [...series.values()].filter((one) => one === undefined).length;
    if (unmergeable > 0) report.dropped('unmergeable', unmergeable);
    return new Map([...series].filter((entry): entry is [string, Series] => entry[1] !== undefined));
  }

  /**
   * Hands over the points of `next`, and one without a value for each series that is no longer among them. Only
   * once `send` has resolved do they count as published.
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
      .map(([metric]) => {
        const points: NumberPoint[] = [
          ...[...next.values()].filter((series) => series.metric === metric),
          ...gone
            .filter((series) => series.metric === metric)
            .map(({ attributes }) => ({ attributes, value: undefined })),
        ];
        return metricData(this.#described[metric]!, points);
      })
      .filter(({ points }) => points.length > 0);
  }
}

function metricData({ kind, name, unit, description }: Metric, points: readonly NumberPoint[]): MetricData {
  const described = { name, unit, description, points };
  return kind === 'counter'
    ? { kind: 'sum', monotonic: true, temporality: 'cumulative', ...described }
    : { kind: 'gauge', ...described };
}

/** Undefined marks a key whose series cannot be merged. */
function add(series: Map<string, Series | undefined>, one: Series, merge: Merge): void {
  const key = JSON.stringify([one.metric, ...Object.values(one.attributes)]);
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
