/** Expressions that several panels and alerts share. */
import { max, sum } from '../../../dashboards/promql/aggregate.ts';
import { age, relativeTo } from '../../../dashboards/promql/arithmetic.ts';
import type { Vector } from '../../../dashboards/promql/vector.ts';
import { latest, type LabelOf, type Where } from './promql.ts';

/** The names that deploy/prometheus gives to the two pages. */
export const scrapeJobs = ['services', 'siphon'];

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

/** How full the queues of exporters are. */
export function queueFill<By extends LabelOf<'otelcol_exporter_queue_size'>>(by: readonly By[]): Vector<By> {
  return relativeTo(max(latest('otelcol_exporter_queue_size'), by), max(latest('otelcol_exporter_queue_capacity'), by));
}
