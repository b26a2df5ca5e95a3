import type { QuerySet } from '../../../components/receivers/db-poller/query.ts';
import { activity } from './activity.ts';
import { locks } from './locks.ts';
import { databaseSize, tableSizes } from './sizes.ts';
import { statistics } from './statistics.ts';

/**
 * The state of the PostgreSQL server, from its own statistics.
 *
 * @param tables the tables with series of their own, as `schema.table`.
 */
export function postgresHealthQueries(
  tables: readonly string[],
): QuerySet<'activity' | 'locks' | 'statistics' | 'size' | 'tables', never> {
  return {
    gauges: { activity, locks, statistics, size: databaseSize, tables: tableSizes(tables) },
    counters: {},
  };
}
