import type { Pack, QueryOverride } from '../../pack.ts';
import { connections } from './connections.ts';

export const postgresHealthQueries = [connections];

export interface PostgresHealthSettings {
  readonly queries: Readonly<Record<string, QueryOverride>>;
}

export function postgresHealthPack(settings: PostgresHealthSettings): Pack {
  return { name: 'postgres_health', schema: undefined, queries: postgresHealthQueries, overrides: settings.queries };
}
