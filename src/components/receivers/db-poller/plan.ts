import type { PoolSettings } from '../../../postgres/read-only-pool.ts';
import type { DbPollerConfig } from './config.ts';
import { createQueries } from './packs/create-queries.ts';
import type { CounterQuery, GaugeQuery, Pace, QueryOverride, QuerySet } from './query.ts';
import { furtherId } from '../../../postgres/polling/query-metrics.ts';
import type { UserQueryConfig, UserCounterConfig } from './user-queries/config.ts';
import { userGauge } from './user-queries/gauge.ts';

const SLOW_INTERVALS = 4;
const RARE_INTERVALS = 16;
/** Shorter than the time after which an exporter drops a series without a new value, five minutes by default. */
const LONGEST_RARE_MS = 4 * 60_000;

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
    packs.map(async (pack) => {
      const { key, name, settings, overrides } = pack;
      return { ...(await createQueries(pack, settings)), key, name, overrides };
    }),
  );
}

/** @param maxConnections fewer than configured, for a caller that runs one query at a time. */
export function poolSettings(config: DbPollerConfig, maxConnections = config.max_connections): PoolSettings {
  const { datasource, connect_timeout: connectTimeoutMs, lock_timeout: lockTimeoutMs } = config;
  return { datasource, maxConnections, connectTimeoutMs, lockTimeoutMs, fixesFormats: true };
}

/**
 * The connections that a sidecar holds at the same time: those of the pool, the session of the leader election, and one
 * for each further database.
 *
 * @param further the number of further databases.
 */
export function heldConnections({ max_connections, leader_election }: DbPollerConfig, further: number): number {
  return max_connections + (leader_election.enabled ? 1 : 0) + further;
}

/** A key needs at most 40 bytes on disk, or in memory without a storage. */
const MAX_KEYS = { stored: 20_000_000, inMemory: 1_000_000 };

/** The number of keys that each counter may remember. */
export function maxKeys({ max_keys, storage }: Pick<DbPollerConfig, 'max_keys' | 'storage'>): number {
  return max_keys ?? (storage ? MAX_KEYS.stored : MAX_KEYS.inMemory);
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

/** The packs with the queries that each database answers in its own way. */
export function perDatabasePacks(packs: readonly ConfiguredPack[]): ConfiguredPack[] {
  return packs.flatMap((pack) => {
    const gauges = Object.entries(pack.gauges).filter(([, query]) => query.isPerDatabase === true);
    return gauges.length === 0 ? [] : [{ ...pack, gauges: Object.fromEntries(gauges), counters: {}, indexes: [] }];
  });
}

/** The queries of one of the further databases. Only the first database reports listed tables that do not exist. */
export function furtherQueries(
  config: DbPollerConfig,
  packs: readonly ConfiguredPack[],
  database: string,
): PlannedQuery[] {
  return packs
    .flatMap((pack) => ofPack(pack, config))
    .map((planned) => (planned.kind === 'gauges' ? { ...planned, id: furtherId(planned.id, database), query: withoutRemarks(planned.query) } : planned)); // prettier-ignore
}

function withoutRemarks(query: GaugeQuery): GaugeQuery {
  return query.derive ? { ...query, derive: (rows) => query.derive!(rows, () => undefined) } : query;
}

function ofPack(pack: ConfiguredPack, config: DbPollerConfig): PlannedQuery[] {
  const planOf = (name: string, pace: Pace | undefined): Plan => {
    const { collection_interval, timeout } = pack.overrides[name] ?? {};
    return {
      id: `${pack.name}.${name}`,
      timeoutPlace: `packs::${pack.key}::queries::${name}::timeout`,
      intervalMs: collection_interval ?? intervalAt(pace, config.collection_interval),
      timeoutMs: timeout ?? config.timeout,
      pack,
    };
  };
  return [
    ...Object.entries(pack.gauges).map(([name, query]) => ({
      kind: 'gauges' as const,
      query,
      ...planOf(name, query.pace),
    })),
    ...Object.entries(pack.counters).map(([name, query]) => ({
      kind: 'counters' as const,
      query,
      ...planOf(name, query.pace),
    })),
  ];
}

/** @param pace undefined: each interval. */
export function intervalAt(pace: Pace | undefined, intervalMs: number): number {
  if (pace === undefined) return intervalMs;
  const slowMs = intervalMs * SLOW_INTERVALS;
  return pace === 'slow' ? slowMs : Math.max(slowMs, Math.min(intervalMs * RARE_INTERVALS, LONGEST_RARE_MS));
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
