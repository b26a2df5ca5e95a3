import type { MetricData } from '../../../engine/otlp/metrics-writer.ts';

/** What a query has published, so that what is gone can be taken back. */
export class PublishedSeries {
  #published: ReadonlyMap<string, MetricData> = new Map();

  /**
   * Hands over the metrics, and one without a value for each series that is no longer among them. Only once `send` has
   * resolved do they count as published.
   */
  async publish(
    metrics: readonly MetricData[],
    send: (metrics: readonly MetricData[]) => Promise<void>,
  ): Promise<void> {
    const next = lastingSeries(metrics);
    const gone = [...this.#published].filter(([key]) => !next.has(key)).map(([, metric]) => withoutValue(metric));
    if (metrics.length + gone.length > 0) await send([...metrics, ...gone]);
    this.#published = next;
  }
}

/** By series, the last of each. Without changes, which have been added to a total when they were taken. */
function lastingSeries(metrics: readonly MetricData[]): ReadonlyMap<string, MetricData> {
  return new Map(metrics.filter((metric) => !isDelta(metric)).map((metric) => [keyOf(metric), metric]));
}

/** How many give way to another of the same series. */
export function overwritten(metrics: readonly MetricData[]): number {
  return metrics.filter((metric) => !isDelta(metric)).length - lastingSeries(metrics).size;
}

/** A change has been added to a total by whoever keeps it; the total stays true. */
function isDelta(metric: MetricData): boolean {
  return metric.kind === 'sum' && metric.temporality === 'delta';
}

function keyOf({ kind, name, points }: MetricData): string {
  const attributes = points.map((point) => Object.entries(point.attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify([kind, name, attributes]);
}

function withoutValue(metric: MetricData): MetricData {
  const points = metric.points.map(({ attributes }) => ({ attributes, value: undefined }));
  return { ...metric, points };
}
