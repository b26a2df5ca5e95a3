/** What Prometheus itself writes about each target that it scrapes. Its labels are only `job` and `instance`. */
import type { Metric } from './metric.ts';

export const prometheusMetrics = {
  up: {
    source: 'prometheus',
    kind: 'gauge',
    name: 'up',
    unit: '{target}',
    description: '1 if the last scrape of the target was answered, else 0',
    labels: {},
  },
  scrape_duration_seconds: {
    source: 'prometheus',
    kind: 'gauge',
    name: 'scrape_duration_seconds',
    unit: 's',
    description: 'How long the last scrape of the target took',
    labels: {},
  },
  scrape_samples_scraped: {
    source: 'prometheus',
    kind: 'gauge',
    name: 'scrape_samples_scraped',
    unit: '{sample}',
    description: 'Samples that the last scrape of the target gave',
    labels: {},
  },
} as const satisfies Record<string, Metric>;
