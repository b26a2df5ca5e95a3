import type { Span } from '../../../src/console/data-source.ts';
import { findMetric, type KnownSeries } from '../prometheus/promql-check.ts';
import type { Labels, PrometheusServer } from '../prometheus/prometheus-server.ts';

/** What Prometheus has scraped of a series, in the order of time. */
export interface RecordedSeries extends KnownSeries {
  /** As the text format names it, with every label. */
  readonly text: string;
  readonly timesS: readonly number[];
  readonly values: readonly number[];
}

/** A time, and what had been scraped until its end of everything that dashboards and rules may ask for. */
export interface Recording extends Span {
  readonly series: readonly RecordedSeries[];
}

export async function recordingOf(prometheus: PrometheusServer, { fromS, toS }: Span): Promise<Recording> {
  const scraped = await prometheus.samples('{__name__=~".+"}');
  const series = scraped.flatMap(({ metric, values }): RecordedSeries[] => {
    const known = findMetric(metric['__name__'] ?? '');
    if (known === undefined) return [];
    return [
      {
        ...known,
        text: textOf(metric),
        timesS: values.map(([atS]) => atS),
        values: values.map(([, value]) => Number(value)),
      },
    ];
  });
  return { fromS, toS, series };
}

function textOf({ __name__: name = '', ...labels }: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return `${name}{${pairs.join(',')}}`;
}
