import type { Pack, PollQuery, QueryOverride } from '../../pack.ts';
import type { QueriesOf } from '../query-names.ts';
import { connections } from './connections.ts';

const queries: QueriesOf<'postgres_health', PollQuery> = { connections };

export interface PostgresHealthSettings {
  readonly queries: Readonly<Record<string, QueryOverride>>;
}

/** What PostgreSQL knows about itself. */
export function postgresHealthPack(settings: PostgresHealthSettings): Pack {
  return { name: 'postgres_health', schema: undefined, queries, overrides: settings.queries };
}
