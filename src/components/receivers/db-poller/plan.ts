import type { PoolSettings } from '../../../postgres/read-only-pool.ts';
import type { DbPollerConfig } from './config.ts';
import type { CounterQuery, GaugeQuery, QueryOverride, QuerySet } from './query.ts';
import type { OwnQueryConfig, OwnRowsConfig } from './user-queries/config.ts';
import { ownGauge } from './user-queries/gauge.ts';

/** Of the receiver's: how rarely slow queries are polled. */
const SLOW_INTERVALS = 4;

/** The queries of a chosen pack. */
export interface ConfiguredPack extends QuerySet {
  readonly name: string;
  readonly overrides: Readonly<Record<string, QueryOverride>>;
}

/** Loads the SQL of the packs, which only a process that uses the database needs. */
export async function configuredPacks({ packs }: Pick<DbPollerConfig, 'packs'>): Promise<ConfiguredPack[]> {
  return await Promise.all(
    packs.map(async ({ name, database, settings, overrides }) => ({
      ...(await database.create(settings)),
      name,
      overrides,
    })),
  );
}

/** @param maxConnections fewer than configured, for a caller that runs one query at a time. */
export function poolSettings(config: DbPollerConfig, maxConnections = config.max_connections): PoolSettings {
  const { datasource, connect_timeout: connectTimeoutMs, lock_timeout: lockTimeoutMs } = config;
  return { datasource, maxConnections, connectTimeoutMs, lockTimeoutMs };
}

interface Plan {
  /** Names it in logs and metrics. */
  readonly id: string;
  /** Where the configuration gives it more time. */
  readonly timeoutPlace: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Whose schema it asks; undefined for those of the user. */
  readonly pack: ConfiguredPack | undefined;
}

export interface PlannedState extends Plan {
  readonly kind: 'state';
  readonly query: GaugeQuery;
}

export interface PlannedRows extends Plan {
  readonly kind: 'rows';
  readonly query: CounterQuery;
}

/** Rows of a table of the user's, of which the database knows more than the configuration. */
export interface PlannedOwnRows extends Plan {
  readonly kind: 'own_rows';
  readonly config: OwnRowsConfig;
}

export type PlannedQuery = PlannedState | PlannedRows | PlannedOwnRows;

/** Everything that this configuration asks the database for, one by one. */
export function plannedQueries(config: DbPollerConfig, packs: readonly ConfiguredPack[]): PlannedQuery[] {
  return [...packs.flatMap((pack) => ofPack(pack, config)), ...config.queries.map((query) => ofUser(query, config))];
}

function ofPack(pack: ConfiguredPack, config: DbPollerConfig): PlannedQuery[] {
  const planOf = (name: string, isSlow = false): Plan => {
    const { collection_interval, timeout } = pack.overrides[name] ?? {};
    return {
      id: `${pack.name}.${name}`,
      timeoutPlace: `packs::${pack.name}::queries::${name}::timeout`,
      intervalMs: collection_interval ?? config.collection_interval * (isSlow ? SLOW_INTERVALS : 1),
      timeoutMs: timeout ?? config.timeout,
      pack,
    };
  };
  return [
    ...Object.entries(pack.gauges).map(([name, query]) => ({
      kind: 'state' as const,
      query,
      ...planOf(name, query.isSlow),
    })),
    ...Object.entries(pack.counters).map(([name, query]) => ({
      kind: 'rows' as const,
      query,
      ...planOf(name, query.isSlow),
    })),
  ];
}

function ofUser(query: OwnQueryConfig, config: DbPollerConfig): PlannedQuery {
  const plan: Plan = {
    id: query.name,
    timeoutPlace: `timeout of ${query.name} in queries`,
    intervalMs: query.collection_interval ?? config.collection_interval,
    timeoutMs: query.timeout ?? config.timeout,
    pack: undefined,
  };
  return query.kind === 'gauge'
    ? { kind: 'state', query: ownGauge(query), ...plan }
    : { kind: 'own_rows', config: query, ...plan };
}
