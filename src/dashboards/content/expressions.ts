/** What several panels ask for. */
import { average, max, sum } from '../promql/aggregate.ts';
import { age, minus, missingTo, ratio, relativeTo } from '../promql/arithmetic.ts';
import type { Window } from '../promql/node.ts';
import { increase, latest, observations, observationsUpTo } from '../promql/select.ts';
import type { LabelOf, Vector } from '../promql/vector.ts';

/** Of a graph: from one point to the next, and at least as much as a rate needs. */
export const step: Window = '$__rate_interval';
/** Of a single number: a week at first, in which every roaster has had a price run. */
export const window: Window = '$window';

/** The names that deploy/prometheus gives to the two pages. */
export const scrapeJobs = ['services', 'siphon'];

export function runSuccess<By extends LabelOf<'scrape_runs_finished_total'> = never>(
  by: readonly By[] = [],
): Vector<By> {
  const ok = increase('scrape_runs_finished_total', window, { status: 'ok' });
  return ratio(sum(ok, by), sum(increase('scrape_runs_finished_total', window), by));
}

/** Requests to stores that gave nothing usable, of all requests. */
export function fetchErrors<By extends 'source' | 'platform' | 'operation' = never>(
  by: readonly By[] = [],
): Vector<By> {
  return ratio(sum(increase('fetch_errors_total', window), by), sum(observations('fetch_latency_seconds', window), by));
}

export function operationErrors(): Vector<'operation'> {
  const failed = observations('pipeline_operation_duration_seconds', window, { outcome: 'error' });
  const all = observations('pipeline_operation_duration_seconds', window);
  return ratio(sum(failed, ['operation']), sum(all, ['operation']));
}

/** Artifacts without a usable answer, of all. */
export function artifactErrors<By extends 'roaster' | 'platform' = never>(by: readonly By[] = []): Vector<By> {
  const failed = increase('scrape_artifacts_recorded_total', window, { http_status: { not: ['200', '304'] } });
  return ratio(sum(failed, by), sum(increase('scrape_artifacts_recorded_total', window), by));
}

/** Variants that can be bought, of the active ones. */
export function inStock<By extends 'roaster' | 'platform' = never>(by: readonly By[] = []): Vector<By> {
  const available = latest('variants', { in_stock: 'true', status: 'active' });
  return ratio(sum(available, by), sum(latest('variants', { status: 'active' }), by));
}

/** Price changes of more than a half, up or down, of all changes. */
export function wildChanges<By extends 'roaster' | 'currency' = never>(by: readonly By[] = []): Vector<By> {
  const all = sum(observations('price_change_ratio', window), by);
  const within = sum(observationsUpTo('price_change_ratio', 1.5, window), by);
  const below = sum(observationsUpTo('price_change_ratio', 0.5, window), by);
  const tame = minus(within, below);
  return missingTo(1, ratio(tame, all));
}

export function connectionsUsed(): Vector<'instance'> {
  return relativeTo(
    max(latest('database_connections_used'), ['instance']),
    max(latest('database_connections_limit'), ['instance']),
  );
}

/** When a run of each roaster last ended well, as an age. */
export function lastSuccessAge(): Vector<'roaster'> {
  return age(max(latest('scrape_last_run_timestamp_seconds', { status: ['ok', 'partial'] }), ['roaster']));
}

export function overdue(): Vector<'roaster' | 'cadence'> {
  return max(latest('scrape_overdue_seconds'), ['roaster', 'cadence']);
}

/** How long ago each query of the poller last succeeded. */
export function pollAge(): Vector<'query'> {
  return age(max(latest('siphon_db_poller_last_success_timestamp_seconds'), ['query']));
}

export function reviewRate(): Vector<'roaster'> {
  return average(latest('review_rate_percent'), ['roaster']);
}

/** Price jobs that failed, of all. Both kinds are timed, so that the histogram counts all of them. */
export function priceJobFailures<By extends 'roaster' | 'job_type' = never>(by: readonly By[] = []): Vector<By> {
  return ratio(
    sum(increase('price_job_failures_total', window), by),
    sum(observations('price_job_duration_seconds', window), by),
  );
}
