import type { PoolSettings } from '../../../postgres/read-only-pool.ts';
import type { DbPollerConfig } from './config.ts';
import type { CounterQuery, GaugeQuery, QueryOverride, QuerySet } from './query.ts';
import type { UserQueryConfig, UserCounterConfig } from './user-queries/config.ts';
import { userGauge } from './user-queries/gauge.ts';

/** The interval of slow queries, in intervals of the receiver. */
const SLOW_INTERVALS = 4;

/** The queries of a chosen pack. */
export interface ConfiguredPack extends QuerySet {
  /** Its key in the configuration. */
  readonly key: string;
  readonly name: string;
  readonly overrides: Readonly<Record<string, QueryOverride>>;
}

/**
 * Loads the SQL of the packs, which only a process that uses the database needs.
 *
 * @throws Error with the name of the pack that failed.
 */
export async function configuredPacks({ packs }: Pick<DbPollerConfig, 'packs'>): Promise<ConfiguredPack[]> {
  return await Promise.all(
    packs.map(async ({ key, name, database, settings, overrides }) => {
      try {
        return { ...(await database.create(settings)), key, name, overrides };
      } catch (error) {
        throw new Error(`cannot create the queries of pack ${name}: ${(error as Error).message}`, { cause: error });
      }
    }),
  );
}

/** @param maxConnections fewer than configured, for a caller that runs one query at a time. */
export function poolSettings(config: DbPollerConfig, maxConnections = config.max_connections): PoolSettings {
  const { datasource, connect_timeout: connectTimeoutMs, lock_timeout: lockTimeoutMs } = config;
  return { datasource, maxConnections, connectTimeoutMs, lockTimeoutMs };
}

interface Plan {
  /** Identifies the query in logs and metrics. */
  readonly id: string;
  /** The key of the configuration that sets its timeout. */
  readonly timeoutPlace: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** The pack whose schema it reads; undefined for a query of the user. */
  readonly pack: ConfiguredPack | undefined;
}

export interface PlannedGauges extends Plan {
  readonly kind: 'gauges';
  readonly query: GaugeQuery;
}

export interface PlannedCounters extends Plan {
  readonly kind: 'counters';
  readonly query: CounterQuery;
}

/** A counter of the user. Its query is complete only when the database has been asked for the table's primary key. */
export interface PlannedUserCounter extends Plan {
  readonly kind: 'user_counter';
  readonly config: UserCounterConfig;
}

export type PlannedQuery = PlannedGauges | PlannedCounters | PlannedUserCounter;

/** All queries of this configuration. */
export function plannedQueries(config: DbPollerConfig, packs: readonly ConfiguredPack[]): PlannedQuery[] {
  return [...packs.flatMap((pack) => ofPack(pack, config)), ...config.queries.map((query) => ofUser(query, config))];
}

function ofPack(pack: ConfiguredPack, config: DbPollerConfig): PlannedQuery[] {
  const planOf = (name: string, isSlow = false): Plan => {
    const { collection_interval, timeout } = pack.overrides[name] ?? {};
    return {
      id: `${pack.name}.${name}`,
      timeoutPlace: `packs::${pack.key}::queries::${name}::timeout`,
      intervalMs: collection_interval ?? config.collection_interval * (isSlow ? SLOW_INTERVALS : 1),
      timeoutMs: timeout ?? config.timeout,
      pack,
    };
  };
  return [
    ...Object.entries(pack.gauges).map(([name, query]) => ({
      kind: 'gauges' as const,
      query,
      ...planOf(name, query.isSlow),
    })),
    ...Object.entries(pack.counters).map(([name, query]) => ({
      kind: 'counters' as const,
      query,
      ...planOf(name, query.isSlow),
    })),
  ];
}

function ofUser(query: UserQueryConfig, config: DbPollerConfig): PlannedQuery {
  const plan: Plan = {
    id: query.name,
    timeoutPlace: `timeout of ${query.name} in queries`,
    intervalMs: query.collection_interval ?? config.collection_interval,
    timeoutMs: query.timeout ?? config.timeout,
    pack: undefined,
  };
  return query.kind === 'gauge'
    ? { kind: 'gauges', query: userGauge(query), ...plan }
    : { kind: 'user_counter', config: query, ...plan };
}
