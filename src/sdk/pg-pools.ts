/**
 * Reports the connection pools of pg as they are when metrics are collected. The instrumentation of pg counts changes
 * instead, in one counter for all pools, and so loses those between its events.
 */
import { metrics, type Span } from '@opentelemetry/api';
import type { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { boundedLabel } from '../metrics/bounded-label.ts';
import { Instruments } from '../metrics/instruments.ts';
import { HAD_IDLE_CONNECTION } from '../metrics/postgres-sessions.ts';
import { instrumentationMetrics, poolName } from '../metrics/third-party.ts';
import { pgPoolName, type PgPoolOptions } from './pg-pool-name.ts';
import { INSTRUMENTATION_SCOPE } from './recorders.ts';

/**
 * Observes each pool that is asked for a connection, in place of the instrumentation's own counting, which also keeps
 * every pool in memory that the application drops without ending it.
 */
export function rememberPools(instrumentation: PgInstrumentation): void {
  instrumentation['_setPoolConnectEventListeners'] = remember;
}

/** Describes the span of a pool that is asked. The instrumentation calls this also for other spans, without asking a pool before. */
export function describePoolSpan(span: Span): void {
  if (asked !== undefined) span.setAttribute(HAD_IDLE_CONNECTION, asked.idleCount > asked.waitingCount);
  asked = undefined;
}

/** The pool whose span is being created. */
let asked: PgPool | undefined;

/** Registers `db.client.connection.*` with the current meter provider. Pools of one name are one series, with their sum. */
export function observePgPools(): void {
  const instruments = new Instruments(metrics.getMeter(INSTRUMENTATION_SCOPE), []);
  const {
    db_client_connection_count: count,
    db_client_connection_max: max,
    db_client_connection_pending_requests: pending,
  } = instrumentationMetrics;
  instruments.observe(count, (observe) => {
    for (const [name, pool] of poolsByName()) {
      observe(pool.idle, { db_client_connection_pool_name: name, db_client_connection_state: 'idle' });
      observe(pool.used, { db_client_connection_pool_name: name, db_client_connection_state: 'used' });
    }
  });
  instruments.observe(max, (observe) => {
    for (const [name, pool] of poolsByName()) observe(pool.max, { db_client_connection_pool_name: name });
  });
  instruments.observe(pending, (observe) => {
    for (const [name, pool] of poolsByName()) observe(pool.pending, { db_client_connection_pool_name: name });
  });
}

/** The documented properties of a pool. */
interface PgPool {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
  readonly ended: boolean;
  readonly options: PgPoolOptions & { readonly max: number };
}

interface PoolUse {
  readonly idle: number;
  readonly used: number;
  readonly max: number;
  readonly pending: number;
}

/** A pool that the application drops without ending it can be collected as garbage. */
const pools = new Map<WeakRef<PgPool>, string>();
const known = new WeakSet<PgPool>();

function remember(pool: PgPool): void {
  asked = pool;
  if (known.has(pool)) return;
  known.add(pool);
  pools.set(new WeakRef(pool), boundedLabel(poolName)(pgPoolName(pool.options, process.env)));
}

function poolsByName(): ReadonlyMap<string, PoolUse> {
  const sums = new Map<string, PoolUse>();
  for (const [reference, name] of pools) {
    const pool = reference.deref();
    if (pool === undefined || pool.ended) {
      pools.delete(reference);
      continue;
    }
    const { totalCount, idleCount, waitingCount, options } = pool;
    const sum = sums.get(name) ?? { idle: 0, used: 0, max: 0, pending: 0 };
    sums.set(name, {
      idle: sum.idle + idleCount,
      used: sum.used + totalCount - idleCount,
      max: sum.max + options.max,
      pending: sum.pending + waitingCount,
    });
  }
  return sums;
}
