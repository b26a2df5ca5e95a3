import { Secret } from '../../../engine/schema/secret.ts';
import type { PoolSettings } from '../../../postgres/read-only-pool.ts';
import { connectionOf, type QueryConfig, type SqlqueryConfig } from './config.ts';

const CONNECT_TIMEOUT_MS = 5000;
const SHORTEST_DEFAULT_TIMEOUT_MS = 60_000;

/** @param readings the number of queries that run concurrently. Each gets a connection, so that it does not wait for others. */
export function poolSettings(config: SqlqueryConfig, readings: number): PoolSettings {
  const connection = connectionOf(config);
  if (connection === undefined) throw new Error('the configuration does not name a database');
  return {
    datasource: new Secret(connection.url),
    maxConnections: connectionsFor(readings, config),
    connectTimeoutMs: connection.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    // Waiting for a lock is limited by the timeout of the query.
    lockTimeoutMs: Infinity,
  };
}

export function connectionsFor(readings: number, { max_open_conn: limit }: SqlqueryConfig): number {
  return limit > 0 ? Math.min(limit, readings) : readings;
}

export interface QuerySchedule {
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** Without a timeout a query may run as long as its interval, or a minute if that is longer. */
export function scheduleOf(query: QueryConfig, config: SqlqueryConfig): QuerySchedule {
  const intervalMs = query.collection_interval ?? config.collection_interval;
  const timeoutMs = query.timeout ?? config.timeout;
  return { intervalMs, timeoutMs: timeoutMs > 0 ? timeoutMs : Math.max(intervalMs, SHORTEST_DEFAULT_TIMEOUT_MS) };
}
