import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase, Pool, PoolClient, PoolConfig } from 'pg';
import type { Secret } from '../engine/schema/secret.ts';
import { cancelRequest } from './cancel-request.ts';
import { connectionTargets, type ConnectionTargets, type ServerRole } from './datasource/connection-targets.ts';
import { firstServer, requireRole } from './datasource/first-server.ts';
import { isConsole, mayBeConsole, PoolerConsole } from './pooler-console.ts';
import { PostgresError } from './postgres-error.ts';
import {
  asked,
  ReadOnlyTransaction,
  type ReadOnlyStatement,
  type Row,
  type StatementResult,
} from './read-only-transaction.ts';
import { Slots } from './slots.ts';

export type { ReadOnlyTransaction, Row } from './read-only-transaction.ts';

export interface PoolSettings {
  /** A URL, or keywords and values, with the parameters that libpq and node-pg share. Several hosts are tried in order. */
  readonly datasource: Secret;
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  readonly lockTimeoutMs: number;
  /**
   * True: how a value is written as text, and how a time without a zone is read, does not depend on settings of the
   * role, the database or the server.
   */
  readonly fixesFormats?: boolean;
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
/** How long the pool makes do with fewer connections after the server has refused one. */
const FEWER_MS = 60_000;

/**
 * A few connections that can only read. A session holds no state between transactions, so a transaction pooler can be used.
 */
export class ReadOnlyPool {
  readonly #settings: PoolSettings;
  readonly #slots: Slots;
  readonly #closing = new AbortController();
  readonly #consoles = new WeakMap<PoolClient, boolean>();
  #pool: Promise<Pool> | undefined;
  #opened: Pool | undefined;
  /** True if the datasource names several hosts. */
  #hasSeveral = false;

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
      const { client, giveBack } = await this.#take(signal);
      try {
        return await this.#transactionOn(client, { ...limits, signal }, work);
      } finally {
        giveBack();
      }
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  }

  /** Closes all connections while no query runs. The next query opens new ones. */
  async disconnect(): Promise<void> {
    const pool = await this.#pool?.catch(() => undefined);
    this.#pool = undefined;
    this.#opened = undefined;
    if (pool) await end(pool);
  }

  /** Cancels running queries and closes all connections. Safe to call twice. */
  async close(): Promise<void> {
    this.#closing.abort();
    const pool = await this.#pool?.catch(() => undefined);
    if (pool) await end(pool);
  }

  /** If the server has no connection left for the pool, this waits for one that the pool uses. */
  async #take(signal: AbortSignal): Promise<{ readonly client: PoolClient; readonly giveBack: () => void }> {
    for (;;) {
      const giveBack = await this.#slots.take(signal);
      try {
        return { client: await asked(this.#connect()), giveBack };
      } catch (error) {
        if (!this.#canShare(error)) {
          giveBack();
          throw error;
        }
        const { signal: closing } = this.#closing;
        void sleep(FEWER_MS, undefined, { signal: closing, ref: false }).catch(alreadyReported).finally(giveBack);
      }
    }
  }

  /** True if only another connection was refused, and those of the pool can be used. */
  #canShare(error: unknown): boolean {
    return PostgresError.from(error).reason === 'too_many_connections' && (this.#opened?.totalCount ?? 0) > 0;
  }

  async #connect(): Promise<PoolClient> {
    this.#closing.signal.throwIfAborted();
    const isNew = (this.#opened?.idleCount ?? 0) === 0;
    const startedAt = performance.now();
    const client = await this.#connectAnywhere();
    if (isNew) this.#settings.onConnect?.(performance.now() - startedAt);
    return client;
  }

  /** A server of several that is lost is replaced immediately by the first that can be used. */
  async #connectAnywhere(): Promise<PoolClient> {
    const wasOpen = this.#pool !== undefined;
    const pool = (this.#pool ??= this.#open());
    try {
      return await (await pool).connect();
    } catch (error) {
      if (this.#canShare(error)) throw error;
      if (this.#pool === pool) this.#forget(pool);
      if (!wasOpen || !this.#hasSeveral || this.#closing.signal.aborted) throw error;
      return await (await (this.#pool ??= this.#open())).connect();
    }
  }

  async #open(): Promise<Pool> {
    const targets = await connectionTargets(this.#settings.datasource);
    this.#hasSeveral = targets.urls.length > 1;
    this.#opened = await openPool(targets, this.#settings);
    return this.#opened;
  }

  /** The next connection reads service file, password file and hosts again. */
  #forget(pool: Promise<Pool>): void {
    this.#pool = undefined;
    this.#opened = undefined;
    // A pool that never opened, or whose server is gone, has nothing to close.
    pool.then(end).catch(() => undefined);
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
    if (await this.#isConsole(client)) return await work(new PoolerConsole(client));
    const transaction = new ReadOnlyTransaction(client);
    await asked(client.query(begin(timeoutMs, this.#settings)));
    const result = await work(transaction);
    await asked(client.query(`commit${UNLOCK}`));
    return result;
  }

  /** Each connection is asked once. */
  async #isConsole(client: PoolClient): Promise<boolean> {
    if (!mayBeConsole(this.#settings.datasource)) return false;
    const known = this.#consoles.get(client) ?? (await isConsole(async (text) => await client.query(text)));
    this.#consoles.set(client, known);
    return known;
  }
}

/**
 * One round trip. `set local` ends with the transaction. JIT is off, because compiling takes longer than these queries run,
 * and PostgreSQL would compile whenever it overestimates the number of rows.
 */
function begin(timeoutMs: number, { lockTimeoutMs, fixesFormats }: PoolSettings): string {
  const statement = Math.ceil(timeoutMs);
  return `begin isolation level repeatable read read only;
set local jit = off;
set local statement_timeout = ${statement};
set local lock_timeout = ${Math.ceil(Math.min(lockTimeoutMs, timeoutMs))};
set local idle_in_transaction_session_timeout = ${statement + GRACE_MS}${fixesFormats ? FORMATS : ''}`;
}

/** A user's query may call a function that takes an advisory lock, which would last as long as the connection. */
const UNLOCK = '; select pg_advisory_unlock_all()';

/** PostgreSQL's defaults, in UTC. */
const FORMATS = `;
set local timezone = 'UTC';
set local datestyle = 'ISO, MDY';
set local intervalstyle = 'postgres';
set local bytea_output = 'hex';
set local extra_float_digits = 1;
set local lc_monetary = 'C';
set local lc_numeric = 'C';
set local lc_time = 'C';
set local xmlbinary = 'base64';
set local array_nulls = on;
set local transform_null_equals = off;
set local standard_conforming_strings = on`;

async function openPool(targets: ConnectionTargets, settings: PoolSettings): Promise<Pool> {
  if (targets.urls.length === 1 && targets.roles[0] === undefined) return await createPool(targets.urls[0]!, settings);
  return await firstServer(targets, async (url, role) => {
    const pool = await createPool(url, settings, role);
    try {
      (await pool.connect()).release();
      return pool;
    } catch (error) {
      await pool.end();
      throw error;
    }
  });
}

/** Several connections of a pool may be lost at the same time, and a pool refuses to be ended twice. */
async function end(pool: Pool): Promise<void> {
  if (!pool.ending) await pool.end();
}

/** node-pg awaits the examination of a new connection, which its types do not have. */
interface ExaminingPoolConfig extends Omit<PoolConfig, 'onConnect'> {
  readonly onConnect: (client: ClientBase) => Promise<void>;
}

async function createPool(url: string, settings: PoolSettings, role?: ServerRole): Promise<Pool> {
  const { default: pg } = await import('pg');
  const options: ExaminingPoolConfig = {
    // Before the connection string, so that the datasource can set another name.
    application_name: 'siphon',
    connectionString: url,
    max: settings.maxConnections,
    connectionTimeoutMillis: settings.connectTimeoutMs,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    maxLifetimeSeconds: 1800,
    keepAlive: true,
    onConnect: async (client) => await requireRole(role, async (text) => (await client.query<Row>(text)).rows),
  };
  const pool = new pg.Pool(options);
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
  const answer = client.query(`rollback${UNLOCK}`).then(
    () => true,
    () => false,
  );
  return endedBy(AbortSignal.timeout(GRACE_MS), client, answer).catch(() => false);
}
