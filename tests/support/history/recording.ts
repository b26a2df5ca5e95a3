import type { Span } from '../../../src/console/data-source.ts';
import { packMetrics } from '../../../src/packs/index.ts';
import { findMetric, type KnownSeries } from '../../../src/dashboards/promql/check-expression.ts';
import type { Labels, PrometheusServer } from '../prometheus/prometheus-server.ts';

/** The scraped samples of one series, sorted by time. */
export interface RecordedSeries extends KnownSeries {
  /** The series in text format, with all labels. */
  readonly text: string;
  readonly timesS: readonly number[];
  readonly values: readonly number[];
}

/** A time span, and the samples of all series that dashboards and rules use. */
export interface Recording extends Span {
  readonly series: readonly RecordedSeries[];
}

export async function recordingOf(prometheus: PrometheusServer, { fromS, toS }: Span): Promise<Recording> {
  const scraped = await prometheus.samples('{__name__=~".+"}');
  const series = scraped.flatMap(({ metric, values }): RecordedSeries[] => {
    const known = findMetric(metric['__name__'] ?? '', packMetrics);
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
  return { fromS, toS: Math.min(toS, ...lastScrapes(series)), series };
}

/** When each page was scraped last. After that everything would seem to stand still. */
function lastScrapes(series: readonly RecordedSeries[]): readonly number[] {
  return series.flatMap(({ name, timesS }) => (name === 'up' ? timesS.slice(-1) : []));
}

function textOf({ __name__: name = '', ...labels }: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return `${name}{${pairs.join(',')}}`;
}
