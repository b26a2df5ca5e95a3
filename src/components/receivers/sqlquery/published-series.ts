import type { MetricData } from '../../../engine/otlp/metrics-writer.ts';

/** The published series of a query, so that series that disappear can be marked as stale. */
export class PublishedSeries {
  #published: ReadonlyMap<string, MetricData> = new Map();

  /**
   * Sends the metrics, and a point without a value for each published series that is not among them. They count as
   * published when `send` has resolved.
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

/** The last metric of each series. Without deltas, which were added to a total when they were accepted. */
function lastingSeries(metrics: readonly MetricData[]): ReadonlyMap<string, MetricData> {
  return new Map(metrics.filter((metric) => !isDelta(metric)).map((metric) => [keyOf(metric), metric]));
}

/** The number of metrics that are replaced by a later one of the same series. */
export function overwritten(metrics: readonly MetricData[]): number {
  return metrics.filter((metric) => !isDelta(metric)).length - lastingSeries(metrics).size;
}

/** The receiver of a delta has added it to a total, which stays valid. */
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
