import type { PoolSettings } from '../../../postgres/read-only-pool.ts';
import type { DbPollerConfig } from './config.ts';

/** @param maxConnections fewer than are configured for whoever asks one thing after the other. */
export function poolSettings(config: DbPollerConfig, maxConnections = config.max_connections): PoolSettings {
  const { datasource, connect_timeout: connectTimeoutMs, lock_timeout: lockTimeoutMs } = config;
  return { datasource, maxConnections, connectTimeoutMs, lockTimeoutMs };
}
