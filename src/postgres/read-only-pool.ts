import type { Pool, PoolClient, QueryConfig } from 'pg';
import type { Secret } from '../collector/config/secret.ts';
import { cancelRequest } from './cancel-request.ts';
import { connectionString } from './connection-string.ts';
import { PostgresError } from './postgres-error.ts';
import { Slots } from './slots.ts';

export interface PoolSettings {
  /** `postgresql://user:password@host:port/database?sslmode=…`, with the parameters that libpq and node-pg share. */
  readonly datasource: Secret;
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  readonly lockTimeoutMs: number;
  readonly onConnect: (durationMs: number) => void;
}

export interface ReadOnlyQuery {
  readonly text: string;
  readonly values: readonly unknown[];
  readonly timeoutMs: number;
  /** More rows than this are an error: the answer is held in memory. */
  readonly maxRows: number;
  /** Values as the server wrote them, instead of JavaScript's types. */
  readonly asText?: boolean;
  /** Ends the query when it aborts. */
  readonly signal?: AbortSignal;
}

export interface QueryResult {
  readonly rows: readonly Row[];
  /** The OID of each column's type, by name. */
  readonly columns: ReadonlyMap<string, number>;
  /** From BEGIN to the last row, without waiting for a connection. */
  readonly durationMs: number;
}

/** `waiting` is queries, for each of which there will be a connection. */
export interface PoolUsage {
  readonly idle: number;
  readonly used: number;
  readonly waiting: number;
}

export type Row = Readonly<Record<string, unknown>>;

/** The server ends a query by itself; the client waits this much longer before it stops believing in the server. */
const GRACE_MS = 1000;

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
    const signal = query.signal ? AbortSignal.any([this.#closing.signal, query.signal]) : this.#closing.signal;
    try {
      const giveBack = await this.#slots.take(signal);
      try {
        return await this.#queryOn(await this.#connect(), query, signal);
      } finally {
        giveBack();
      }
    } catch (error) {
      signal.throwIfAborted();
      throw PostgresError.from(error);
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
    if (isNew) this.#settings.onConnect(performance.now() - startedAt);
    return client;
  }

  async #queryOn(client: PoolClient, query: ReadOnlyQuery, signal: AbortSignal): Promise<QueryResult> {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(query.timeoutMs + GRACE_MS)]);
    client.on('error', alreadyReported);
    let broken = true;
    try {
      const result = await endedBy(deadline, client, this.#transaction(client, query));
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

  async #transaction(client: PoolClient, query: ReadOnlyQuery): Promise<QueryResult> {
    const startedAt = performance.now();
    await client.query(begin(query.timeoutMs, this.#settings.lockTimeoutMs));
    const { rows, fields } = await client.query<Row>(boundedQuery(query));
    const durationMs = performance.now() - startedAt;
    await client.query('commit');
    if (rows.length > query.maxRows) throw new PostgresError('too_many_rows', `more than ${query.maxRows} rows`);
    return { rows, columns: new Map(fields.map(({ name, dataTypeID }) => [name, dataTypeID])), durationMs };
  }
}

/** The extended protocol takes a single statement, so that no text can end the read-only transaction and go on outside. */
interface ExtendedQuery extends QueryConfig {
  readonly queryMode: 'extended';
}

const SHOW = /^\s*show\s/i;
const asTheServerWroteIt = { getTypeParser: () => String };

function boundedQuery({ text, values, maxRows, asText = false }: ReadOnlyQuery): ExtendedQuery {
  return {
    // SHOW cannot stand in a subquery, and gives few rows. The text may end in a comment.
    text: SHOW.test(text) ? text : `select * from (${text}\n) as bounded limit ${maxRows + 1}`,
    values: [...values],
    queryMode: 'extended',
    ...(asText ? { types: asTheServerWroteIt } : {}),
  };
}

/** One round trip; `set local` ends with the transaction. */
function begin(timeoutMs: number, lockTimeoutMs: number): string {
  const statement = Math.ceil(timeoutMs);
  return `begin isolation level repeatable read read only;
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
    idleTimeoutMillis: 60_000,
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
