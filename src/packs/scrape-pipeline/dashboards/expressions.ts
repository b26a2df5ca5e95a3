/** Expressions that several panels and alerts share. */
import { average, max, min, sum } from '../../../dashboards/promql/aggregate.ts';
import { age, minus, plus, ratio, together, type Share } from '../../../dashboards/promql/arithmetic.ts';
import { range } from '../../../dashboards/model/variables.ts';
import type { Window } from '../../../dashboards/promql/node.ts';
import type { Vector } from '../../../dashboards/promql/vector.ts';
import { increases, latest, observations, observationsUpTo, overTime, type Count, type LabelOf } from './promql.ts';

/** Counts for single numbers. Alerts use other windows. */
const counted = increases(range);

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

/** Requests to stores without a usable response, and all requests. Requests without any response have no latency. */
export function failedFetches<By extends 'source' | 'platform'>(by: readonly By[], count: Count): Share<By> {
  const unanswered = count('fetch_errors_total', { error_type: ['timeout', 'connection'] });
  const all = together(count('fetch_latency_seconds'), unanswered);
  return [sum(count('fetch_errors_total'), by), sum(all, by)];
}

export function operationErrors(): Vector<'operation'> {
  const failed = observations('pipeline_operation_duration_seconds', range, { outcome: 'error' });
  const all = observations('pipeline_operation_duration_seconds', range);
  return ratio(sum(failed, ['operation']), sum(all, ['operation']));
}

export function artifactErrors<By extends 'roaster' | 'platform' = never>(by: readonly By[] = []): Vector<By> {
  return ratio(...failedArtifacts(by, counted));
}

/** Artifacts without a usable response, and all artifacts. */
export function failedArtifacts<By extends 'roaster' | 'platform'>(by: readonly By[], count: Count): Share<By> {
  const failed = count('scrape_artifacts_recorded_total', { http_status: { not: ['200', '304'] } });
  return [sum(failed, by), sum(count('scrape_artifacts_recorded_total'), by)];
}

/** The share of active variants that are in stock. */
export function inStock<By extends 'roaster' | 'platform' = never>(by: readonly By[] = []): Vector<By> {
  const available = latest('variants', { in_stock: 'true', status: 'active' });
  return ratio(sum(available, by), sum(latest('variants', { status: 'active' }), by));
}

/** How prices are counted: within a window, and those up to a bound among them. */
export interface PriceCount {
  readonly count: Count;
  readonly upTo: (bound: 0.5 | 1.5) => ReturnType<typeof changesUpTo>;
}

const changesUpTo = (bound: 0.5 | 1.5) => observationsUpTo('price_change_ratio', bound, range);

/** Compared prices that changed by more than a half, up or down, and all compared prices. */
export function wildPrices<By extends 'roaster' | 'currency'>(
  by: readonly By[],
  { count, upTo }: PriceCount = { count: counted, upTo: changesUpTo },
): Share<By> {
  const unusual = minus(sum(count('price_change_ratio'), by), sum(upTo(1.5), by));
  return [plus(unusual, sum(upTo(0.5), by)), sum(count('price_deltas_total', { change_type: { not: 'first' } }), by)];
}

/** Products with a problem, and all products: the largest numbers of one validation. */
export function invalidProducts<By extends 'source' | 'platform'>(by: readonly By[], within: Window): Share<By> {
  const most = (outcome: 'valid' | 'invalid'): Vector<By> =>
    max(overTime('max', 'validation_products', within, { outcome }), by);
  return [most('invalid'), plus(most('invalid'), most('valid'))];
}

/** The share of active variants whose price was not checked in time. */
export function stalePrices(): Vector<'roaster'> {
  return ratio(
    sum(latest('variants_price_stale'), ['roaster']),
    sum(latest('variants', { status: 'active' }), ['roaster']),
  );
}

/** The share of active variants that the last run has seen. */
export function seenVariants(): Vector<'roaster'> {
  return min(latest('scrape_last_run_seen_ratio'), ['roaster']);
}

/** Time since the last successful run of each roaster. */
export function lastSuccessAge(): Vector<'roaster'> {
  return age(max(latest('scrape_last_run_timestamp_seconds', { status: ['ok', 'partial'] }), ['roaster']));
}

export function overdue(cadence: 'full' | 'price'): Vector<'roaster'> {
  return max(latest('scrape_overdue_seconds', { cadence }), ['roaster']);
}

export function reviewRate(): Vector<'roaster'> {
  return average(latest('review_rate_percent'), ['roaster']);
}

export function priceJobFailures(): Vector<never> {
  return ratio(...failedPriceJobs([], counted));
}

/** Failed price jobs, and all price jobs. */
export function failedPriceJobs<By extends LabelOf<'price_job_success_total'>>(
  by: readonly By[],
  count: Count,
): Share<By> {
  const failed = count('price_job_failures_total');
  return [sum(failed, by), sum(together(failed, count('price_job_success_total')), by)];
}
