/** What several panels ask for. */
import { average, max, sum } from '../../../dashboards/promql/aggregate.ts';
import { age, compare, minus, missingTo, ratio, relativeTo, together } from '../../../dashboards/promql/arithmetic.ts';
import type { Window } from '../../../dashboards/promql/node.ts';
import {
  increases,
  latest,
  observations,
  observationsUpTo,
  type Count,
  type Where,
} from '../../../dashboards/promql/select.ts';
import type { LabelOf, Vector } from '../../../dashboards/promql/vector.ts';

/** Of a graph: from one point to the next, and at least as much as a rate needs. */
export const step: Window = '$__rate_interval';
/** Of a single number: a week at first, in which every roaster has had a price run. */
export const window: Window = '$window';

/** The names that deploy/prometheus gives to the two pages. */
export const scrapeJobs = ['services', 'siphon'];

/** Of single numbers. Alerts count within windows of their own. */
const counted = increases(window);

/** Of counters that are there with 0 from the start: what has happened, so that a panel without it is empty. */
export function happened<Label extends string>(count: Vector<Label>): Vector<Label> {
  return compare(count, '>', 0);
}

/** A part and the whole that it is of, as counts. */
export type Share<Label extends string> = readonly [part: Vector<Label>, whole: Vector<Label>];

export function runSuccess<By extends LabelOf<'scrape_runs_finished_total'> = never>(
  by: readonly By[] = [],
): Vector<By> {
  return ratio(...succeededRuns(by, counted));
}

export function succeededRuns<By extends LabelOf<'scrape_runs_finished_total'>>(
  by: readonly By[],
  count: Count,
): Share<By> {
  const ok = count('scrape_runs_finished_total', { status: 'ok' });
  return [sum(ok, by), sum(count('scrape_runs_finished_total'), by)];
}

export function fetchErrors<By extends 'source' | 'platform' = never>(by: readonly By[] = []): Vector<By> {
  return ratio(...failedFetches(by, counted));
}

/** Requests to stores that gave nothing usable, of all requests. Those without an answer have no latency. */
export function failedFetches<By extends 'source' | 'platform'>(by: readonly By[], count: Count): Share<By> {
  const unanswered = count('fetch_errors_total', { error_type: ['timeout', 'connection'] });
  const all = together(count('fetch_latency_seconds'), unanswered);
  return [sum(count('fetch_errors_total'), by), sum(all, by)];
}

export function operationErrors(): Vector<'operation'> {
  const failed = observations('pipeline_operation_duration_seconds', window, { outcome: 'error' });
  const all = observations('pipeline_operation_duration_seconds', window);
  return ratio(sum(failed, ['operation']), sum(all, ['operation']));
}

export function artifactErrors<By extends 'roaster' | 'platform' = never>(by: readonly By[] = []): Vector<By> {
  return ratio(...failedArtifacts(by, counted));
}

/** Artifacts without a usable answer, of all. */
export function failedArtifacts<By extends 'roaster' | 'platform'>(by: readonly By[], count: Count): Share<By> {
  const failed = count('scrape_artifacts_recorded_total', { http_status: { not: ['200', '304'] } });
  return [sum(failed, by), sum(count('scrape_artifacts_recorded_total'), by)];
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

/** How many sidecars poll; those that stand by count for none. */
export function leaders(): Vector<'receiver'> {
  return sum(latest('siphon_db_poller_leader'), ['receiver']);
}

const LAST_SUCCESS = 'siphon_db_poller_last_success_timestamp_seconds';

/** How long ago a query of the poller last succeeded. */
export function pollAge<By extends LabelOf<typeof LAST_SUCCESS>>(
  by: readonly By[],
  where: Where<typeof LAST_SUCCESS> = {},
): Vector<By> {
  return age(max(latest(LAST_SUCCESS, where), by));
}

export function reviewRate(): Vector<'roaster'> {
  return average(latest('review_rate_percent'), ['roaster']);
}

export function priceJobFailures(): Vector<never> {
  return ratio(...failedPriceJobs([], counted));
}

/** Price jobs that failed, of all. */
export function failedPriceJobs<By extends LabelOf<'price_job_success_total'>>(
  by: readonly By[],
  count: Count,
): Share<By> {
  const failed = count('price_job_failures_total');
  return [sum(failed, by), sum(together(failed, count('price_job_success_total')), by)];
}

/** How full the queues of exporters are. */
export function queueFill<By extends LabelOf<'otelcol_exporter_queue_size'>>(by: readonly By[]): Vector<By> {
  return relativeTo(max(latest('otelcol_exporter_queue_size'), by), max(latest('otelcol_exporter_queue_capacity'), by));
}
