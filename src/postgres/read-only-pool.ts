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

/** How long a transaction may take, and what ends it sooner. */
export interface TransactionLimits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface ReadOnlyQuery extends ReadOnlyStatement, TransactionLimits {}

export interface QueryResult extends StatementResult {
  /** From BEGIN to the last row, without waiting for a connection. */
  readonly durationMs: number;
}

/** `waiting` is queries, for each of which there will be a connection. */
export interface PoolUsage {
  readonly idle: number;
  readonly used: number;
  readonly waiting: number;
}

/** The server ends a query by itself; the client waits this much longer before it stops believing in the server. */
const GRACE_MS = 1000;
/** Longer than the pause of what is asked once a minute: a new session knows nothing of the tables, and learns it all again. */
const IDLE_TIMEOUT_MS = 300_000;

/**
 * A few connections that can only read. Nothing is kept in a session between transactions, so that a
 * transaction pooler may stand in between.
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

  /** What the pool holds at this moment; a connection that is being opened is in use. */
  get usage(): PoolUsage {
    const { totalCount = 0, idleCount = 0 } = this.#opened ?? {};
    return { idle: idleCount, used: totalCount - idleCount, waiting: this.#slots.waiting };
  }

  /**
   * Runs one statement in a transaction of its own, on one snapshot.
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
   * @param limits of all of them together.
   * @throws PostgresError, AbortError if the pool is closed or the signal aborts meanwhile, and whatever `work` throws.
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

  /** Cancels what runs and closes every connection. Safe to call twice. */
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
 * One round trip; `set local` ends with the transaction. Compiling a query takes longer than any of ours runs, and
 * PostgreSQL would do it wherever it overrates the rows.
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
    // The last so that the datasource may name the application itself.
    application_name: 'siphon',
    connectionString: connectionString(settings.datasource),
    max: settings.maxConnections,
    connectionTimeoutMillis: settings.connectTimeoutMs,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    maxLifetimeSeconds: 1800,
    keepAlive: true,
  });
  // A connection lost while idle: the pool has dropped it, and the next query opens another one.
  pool.on('error', alreadyReported);
  return pool;
}

/** A lost connection also comes as an event, which would end the process if nobody listened; the next query reports it. */
function alreadyReported(): void {}

/** `work`, unless the deadline comes first: then the server is asked to stop, and not waited for. */
async function endedBy<T>(deadline: AbortSignal, client: PoolClient, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    const error = new PostgresError('timeout', 'the query ran longer than its timeout, and the server did not end it');
    void cancelRequest(client).finally(() => reject(error));
  };
  if (deadline.aborted) onAbort();
  deadline.addEventListener('abort', onAbort, { once: true });
  // Whichever loses the race fails later, when nobody listens any more.
  work.catch(alreadyReported);
  late.catch(alreadyReported);
  try {
    return await Promise.race([work, late]);
  } finally {
    deadline.removeEventListener('abort', onAbort);
  }
}

/** Whether the connection is fit for the next query. */
async function rollBack(client: PoolClient): Promise<boolean> {
  const answer = client.query('rollback').then(
    () => true,
    () => false,
  );
  return endedBy(AbortSignal.timeout(GRACE_MS), client, answer).catch(() => false);
}
