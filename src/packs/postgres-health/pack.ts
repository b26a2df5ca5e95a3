import type { Pack, PollQuery, QueryOverride } from '../../components/receivers/db-poller/query.ts';
import type { QueriesOf } from '../../components/receivers/db-poller/plan/query-names.ts';
import { activity } from './queries/activity.ts';
import { locks } from './queries/locks.ts';
import { statistics } from './queries/statistics.ts';
import { databaseSize, tableSizes } from './queries/sizes.ts';

export interface PostgresHealthSettings {
  /** As `schema.table`. */
  readonly tables: readonly string[];
  readonly queries: Readonly<Record<string, QueryOverride>>;
}

/** What PostgreSQL knows about itself. */
export function postgresHealthPack(settings: PostgresHealthSettings): Pack {
  const queries: QueriesOf<'postgres_health', PollQuery> = {
    activity,
    locks,
    statistics,
    size: databaseSize,
    tables: tableSizes(settings.tables),
  };
  return { name: 'postgres_health', schema: undefined, queries, overrides: settings.queries };
}
