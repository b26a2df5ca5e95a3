import type { Pool, PoolClient } from 'pg';
import type { Secret } from '../engine/schema/secret.ts';
import { cancelRequest } from './cancel-request.ts';
import { connectionString } from './connection-string.ts';
import { PostgresError } from './postgres-error.ts';
import { asked, ReadOnlyTransaction, type ReadOnlyStatement, type StatementResult } from './read-only-transaction.ts';
import { Slots } from './slots.ts';

export type { ReadOnlyTransaction, Row } from './read-only-transaction.ts';

export interface PoolSettings {
  /** `postgresql://user:password@host:port/database?sslmode=…`, with the parameters that libpq and node-pg share. */
  readonly datasource: Secret;
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  readonly lockTimeoutMs: number;
  readonly onConnect?: (durationMs: number) => void;
}

/** The timeout of a transaction, and a signal that ends it sooner. */
export interface TransactionLimits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface ReadOnlyQuery extends ReadOnlyStatement, TransactionLimits {}

export interface QueryResult extends StatementResult {
  /** From BEGIN to the last row, without waiting for a connection. */
  readonly durationMs: number;
}

/** `waiting` counts queries that wait for a connection. */
export interface PoolUsage {
  readonly idle: number;
  readonly used: number;
  readonly waiting: number;
}

/** The server enforces the timeout of a query. The client waits this much longer before it drops the connection. */
const GRACE_MS = 1000;
/** Longer than the pause between queries that run once a minute, because a new session must load the table metadata again. */
const IDLE_TIMEOUT_MS = 300_000;

/**
 * A few connections that can only read. A session holds no state between transactions, so a transaction pooler can be used.
 */
export class ReadOnlyPool {
  readonly #settings: PoolSettings;
  readonly #slots: Slots;
  readonly #closing = new AbortController();
  #pool: Promise<Pool> | undefined;
  #opened: Pool | undefined;

  constructor(settings: PoolSettings) {
    this.#settings = settings;
    this.#slots = new Slots(settings.maxConnections);
  }

  /** The connections of the pool. A connection that is being opened counts as used. */
  get usage(): PoolUsage {
    const { totalCount = 0, idleCount = 0 } = this.#opened ?? {};
    return { idle: idleCount, used: totalCount - idleCount, waiting: this.#slots.waiting };
  }

  /**
   * Runs one statement in its own transaction, on one snapshot.
   *
   * @throws PostgresError, or AbortError if the pool is closed or the query's signal aborts meanwhile.
   */
  async query(query: ReadOnlyQuery): Promise<QueryResult> {
    return await this.transaction(query, async (transaction) => {
      const result = await transaction.query(query);
      return { ...result, durationMs: transaction.elapsedMs };
    });
  }

  /**
   * Runs several statements in one transaction, on one snapshot.
   *
   * @param limits the limits of the whole transaction.
   * @throws PostgresError, AbortError if the pool is closed or the signal aborts meanwhile, and what `work` throws.
   */
  async transaction<T>(limits: TransactionLimits, work: (transaction: ReadOnlyTransaction) => Promise<T>): Promise<T> {
    const signal = limits.signal ? AbortSignal.any([this.#closing.signal, limits.signal]) : this.#closing.signal;
    try {
      const giveBack = await this.#slots.take(signal);
      try {
        return await this.#transactionOn(await asked(this.#connect()), { ...limits, signal }, work);
      } finally {
        giveBack();
      }
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  }

  /** Cancels running queries and closes all connections. Safe to call twice. */
  async close(): Promise<void> {
    this.#closing.abort();
    const pool = await this.#pool?.catch(() => undefined);
    if (pool && !pool.ending) await pool.end();
  }

  async #connect(): Promise<PoolClient> {
    this.#closing.signal.throwIfAborted();
    this.#pool ??= openPool(this.#settings);
    const pool = await this.#pool;
    this.#opened = pool;
    const isNew = pool.idleCount === 0;
    const startedAt = performance.now();
    const client = await pool.connect();
    if (isNew) this.#settings.onConnect?.(performance.now() - startedAt);
    return client;
  }

  async #transactionOn<T>(
    client: PoolClient,
    { timeoutMs, signal }: TransactionLimits & { readonly signal: AbortSignal },
    work: (transaction: ReadOnlyTransaction) => Promise<T>,
  ): Promise<T> {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs + GRACE_MS)]);
    client.on('error', alreadyReported);
    let broken = true;
    try {
      const result = await endedBy(deadline, client, this.#run(client, timeoutMs, work));
      broken = false;
      return result;
    } catch (error) {
      broken = deadline.aborted || !(await rollBack(client));
      throw error;
    } finally {
      client.off('error', alreadyReported);
      client.release(broken);
    }
  }

  async #run<T>(
    client: PoolClient,
    timeoutMs: number,
    work: (transaction: ReadOnlyTransaction) => Promise<T>,
  ): Promise<T> {
    const transaction = new ReadOnlyTransaction(client);
    await asked(client.query(begin(timeoutMs, this.#settings.lockTimeoutMs)));
    const result = await work(transaction);
    await asked(client.query('commit'));
    return result;
  }
}

/**
 * One round trip. `set local` ends with the transaction. JIT is off, because compiling takes longer than these queries run,
 * and PostgreSQL would compile whenever it overestimates the number of rows.
 */
function begin(timeoutMs: number, lockTimeoutMs: number): string {
  const statement = Math.ceil(timeoutMs);
  return `begin isolation level repeatable read read only;
set local jit = off;
set local statement_timeout = ${statement};
set local lock_timeout = ${Math.ceil(Math.min(lockTimeoutMs, timeoutMs))};
set local idle_in_transaction_session_timeout = ${statement + GRACE_MS}`;
}

async function openPool(settings: PoolSettings): Promise<Pool> {
  const { default: pg } = await import('pg');
  const pool = new pg.Pool({
    // Before the connection string, so that the datasource can set another name.
    application_name: 'siphon',
    connectionString: connectionString(settings.datasource),
    max: settings.maxConnections,
    connectionTimeoutMillis: settings.connectTimeoutMs,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    maxLifetimeSeconds: 1800,
    keepAlive: true,
  });
  // A connection was lost while idle: the pool drops it, and the next query opens another one.
  pool.on('error', alreadyReported);
  return pool;
}

/** A lost connection also emits an error event, which would end the process without a listener. The next query reports it. */
function alreadyReported(): void {}

/** Awaits `work`. If the deadline aborts first, it sends a cancel request and rejects without waiting for the server. */
async function endedBy<T>(deadline: AbortSignal, client: PoolClient, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    const error = new PostgresError('timeout', 'the query ran longer than its timeout, and the server did not end it');
    void cancelRequest(client).finally(() => reject(error));
  };
  if (deadline.aborted) onAbort();
  deadline.addEventListener('abort', onAbort, { once: true });
  // The loser of the race may reject later, unhandled.
  work.catch(alreadyReported);
  late.catch(alreadyReported);
  try {
    return await Promise.race([work, late]);
  } finally {
    deadline.removeEventListener('abort', onAbort);
  }
}

/** Rolls back; resolves to whether the connection can be used again. */
async function rollBack(client: PoolClient): Promise<boolean> {
  const answer = client.query('rollback').then(
    () => true,
    () => false,
  );
  return endedBy(AbortSignal.timeout(GRACE_MS), client, answer).catch(() => false);
}
