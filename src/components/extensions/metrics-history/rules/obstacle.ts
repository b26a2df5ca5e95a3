import { metricOf, readingsOf } from '../../../../rules/reach.ts';
import type { Rule } from '../../../../rules/rule.ts';

/** Series that a Prometheus adds when it scrapes. A sidecar does not scrape. */
const OF_SCRAPES = new Set([
  'up',
  'scrape_body_size_bytes',
  'scrape_duration_seconds',
  'scrape_sample_limit',
  'scrape_samples_post_metric_relabeling',
  'scrape_samples_scraped',
  'scrape_series_added',
  'scrape_timeout_seconds',
]);

/** Why a rule would have another answer here than in a Prometheus; undefined if it has the same. */
export function obstacleOf({ expression }: Rule): string | undefined {
  const missing = readingsOf(expression)
    .map(metricOf)
    .find((name) => name !== undefined && OF_SCRAPES.has(name));
  return missing === undefined ? undefined : `it reads ${missing}, which only a Prometheus that scrapes has`;
}
