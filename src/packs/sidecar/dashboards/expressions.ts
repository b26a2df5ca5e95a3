/** Expressions that several panels and alerts share. */
import { max, min, sum } from '../../../dashboards/promql/aggregate.ts';
import { atLeast, inSteps, relativeTo } from '../../../dashboards/promql/arithmetic.ts';
import type { Vector } from '../../../dashboards/promql/vector.ts';
import { latest, type LabelOf, type Where } from './promql.ts';

/** The names that deploy/prometheus gives to the two pages. */
export const scrapeJobs = ['services', 'siphon'];

/** How many sidecars poll; those that stand by count for none. */
export function leaders(): Vector<'receiver'> {
  return sum(latest('siphon_db_poller_leader'), ['receiver']);
}

/** The default of `collection_interval`. */
export const USUAL_INTERVAL_S = 15;

const AGE = 'siphon_db_poller_success_age_seconds';
const INTERVAL = 'siphon_db_poller_query_interval_seconds';

/** How long ago a query of the poller last succeeded, of all sidecars: one that stands by has old ages. */
export function pollAge<By extends LabelOf<typeof AGE>>(by: readonly By[], where: Where<typeof AGE> = {}): Vector<By> {
  return min(latest(AGE, where), by);
}

/**
 * How many intervals have passed since each query of the poller last succeeded; without `query` in `by`, since any of them
 * did, in intervals of the most frequent one.
 *
 * @param shortestS a query that runs more often counts as one that runs at this interval: in seconds, a server may pause.
 */
export function missedPolls<By extends LabelOf<typeof AGE>>(
  by: readonly By[],
  shortestS: number,
  where: Where<typeof AGE> = {},
): Vector<By> {
  return inSteps(min(latest(AGE, where), by), atLeast(min(latest(INTERVAL, where), by), shortestS));
}

/** How full the queues of exporters are. */
export function queueFill<By extends LabelOf<'otelcol_exporter_queue_size'>>(by: readonly By[]): Vector<By> {
  return relativeTo(max(latest('otelcol_exporter_queue_size'), by), max(latest('otelcol_exporter_queue_capacity'), by));
}
