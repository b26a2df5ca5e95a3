import type { Pack, PollQuery, QueryOverride } from '../pack.ts';
import type { QueriesOf } from '../query-names.ts';
import { activity } from './activity.ts';
import { locks } from './locks.ts';
import { statistics } from './statistics.ts';
import { databaseSize, tableSizes } from './sizes.ts';

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
