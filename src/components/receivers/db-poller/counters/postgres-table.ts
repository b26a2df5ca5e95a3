import { PostgresError } from '../../../../postgres/postgres-error.ts';
import type { ReadOnlyPool, ReadOnlyTransaction, Row } from '../../../../postgres/read-only-pool.ts';
import type { Schema, Statement } from '../query.ts';
import { kindOf, whyUncountable } from './countable.ts';
import type { CountedTable, Head, KeyedRow, RowsRequest, SettledRows, TableSnapshot } from './counted-table.ts';
import type { CounterQuery } from '../query.ts';
import type { Position } from './counted-table.ts';
import { columns, firstRows, rowsWithEvents, settledRows } from './settled-rows.ts';

const MAX_KNOWN = 20_000;
const CHUNK_ROWS = 10_000;
/** After three rounds of the WAL writer, asynchronous commits are on disk too. A round takes 0.2 s by default. */
const LONGEST_FLUSH_MS = 600;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 100;

/** A table in PostgreSQL, read in read-only `REPEATABLE READ` transactions. */
export class PostgresTable implements CountedTable {
  readonly #pool: ReadOnlyPool;
  readonly #query: CounterQuery;
  #durationMs = 0;
  #schema: Schema | undefined;
  #signal: AbortSignal | undefined;

  constructor(pool: ReadOnlyPool, query: CounterQuery) {
    this.#pool = pool;
    this.#query = query;
  }

  /** Sets the schema and the signal for the next readings. */
  use(schema: Schema, signal: AbortSignal): void {
    this.#schema = schema;
    this.#signal = signal;
  }

  /** The duration of the latest successful reading from BEGIN to the last row, without waiting for the disk. */
  get durationMs(): number {
    return this.#durationMs;
  }

  async read<T>(timeoutMs: number, work: (snapshot: TableSnapshot) => Promise<T>): Promise<T> {
    const schema = this.#schema!;
    return await this.#pool.transaction({ timeoutMs, signal: this.#signal }, async (transaction) => {
      const table = schema.table(this.#query.table);
      const [head] = (await transaction.query({ ...headOf(table), maxRows: 1 })).rows;
      refuseUncountable(table, String(head!['kind']));
      const snapshot = new PostgresSnapshot(transaction, { query: this.#query, schema, timeoutMs }, head!);
      const result = await work(snapshot);
      this.#durationMs = transaction.elapsedMs - snapshot.waitedMs;
      return result;
    });
  }
}

class PostgresSnapshot implements TableSnapshot {
  readonly head: Head;
  #waitedMs = 0;
  readonly #transaction: ReadOnlyTransaction;
  readonly #query: CounterQuery;
  readonly #schema: Schema;
  readonly #timeoutMs: number;
  readonly #writtenLsn: unknown;

  constructor(
    transaction: ReadOnlyTransaction,
    asked: { readonly query: CounterQuery; readonly schema: Schema; readonly timeoutMs: number },
    head: Row,
  ) {
    this.#transaction = transaction;
    this.#query = asked.query;
    this.#schema = asked.schema;
    this.#timeoutMs = asked.timeoutMs;
    this.head = readHead(head);
    this.#writtenLsn = head['written_lsn'];
  }

  /** The time that was spent waiting for the disk. */
  get waitedMs(): number {
    return this.#waitedMs;
  }

  async rows(request: RowsRequest): Promise<SettledRows> {
    const statement = settledRows(this.#query, this.#schema, { ...request, nextXid: this.head.nextXid });
    const rows = await this.#ask(statement, request.limit);
    const last = rows.at(-1);
    return {
      rows: rows.map((row) => ({ ...keyedRow(row), details: row })),
      waiting: Number(rows[0]?.[columns.waiting] ?? 0),
      isFull: rows.length === request.limit,
      last: last && { xid: request.after.xid + Number(last[columns.distance]), key: String(last[columns.key]) },
    };
  }

  async *everyRow(): AsyncGenerator<readonly KeyedRow[]> {
    const text = rowsWithEvents(this.#query, this.#schema);
    for await (const rows of this.#transaction.chunks(text, CHUNK_ROWS)) yield rows.map(keyedRow);
  }

  async known(): Promise<readonly Row[]> {
    const statement = this.#query.known?.(this.#schema);
    return statement ? await this.#ask(statement, MAX_KNOWN) : [];
  }

  async isRewritten(since: Position): Promise<boolean> {
    const [found] = await this.#ask(firstRows(this.#query, this.#schema, since.xid), 1);
    // After VACUUM FULL old rows keep their numbers; after TRUNCATE only rows of other transactions exist, if any.
    if (Number(found?.['written_before']) > 0) return false;
    return Number(found?.['with_table']) > 0 || Number(found?.['writers']) === 1;
  }

  /**
   * A crash loses transactions whose end is not in the WAL on disk, and reuses their numbers for others, which would
   * then lie before the position. The session survives the wait only without a crash.
   */
  async endedForGood(patience: 'waits' | 'does not wait'): Promise<boolean> {
    // The statement timeout must not end a pause.
    const longestMs = Math.min(LONGEST_PAUSE_MS, this.#timeoutMs / 2);
    for (let pauseMs = FIRST_PAUSE_MS; this.#waitedMs < LONGEST_FLUSH_MS; pauseMs *= 2) {
      if (await this.#isFlushed()) return true;
      if (patience === 'does not wait') return false;
      await this.#pause(Math.min(pauseMs, longestMs));
    }
    return true;
  }

  async #isFlushed(): Promise<boolean> {
    if (this.#writtenLsn === null) return true;
    const text = 'select pg_current_wal_flush_lsn() >= $1::pg_lsn as is_flushed';
    const [row] = await this.#ask({ text, values: [this.#writtenLsn] }, 1);
    return row!['is_flushed'] === true;
  }

  async #pause(ms: number): Promise<void> {
    const fromMs = this.#transaction.elapsedMs;
    await this.#ask({ text: 'select pg_sleep($1::float8 / 1000)', values: [ms] }, 1);
    this.#waitedMs += this.#transaction.elapsedMs - fromMs;
  }

  async #ask(statement: Statement, maxRows: number): Promise<readonly Row[]> {
    return (await this.#transaction.query({ ...statement, maxRows, parsed: 'scalars' })).rows;
  }
}

/** A server in recovery applies only transactions that are on disk already, so `written_lsn` is NULL there. */
function headOf(table: string): Statement {
  return {
    text: `
      select pg_snapshot_xmin(snapshot)::text as settled_xid, pg_snapshot_xmax(snapshot)::text as next_xid,
             extract(epoch from clock_timestamp())::float8 * 1000 as now_unix_ms,
             concat_ws('/', (select system_identifier from pg_control_system()),
                       (select timeline_id from pg_control_checkpoint()),
                       (select oid from pg_database where datname = current_database()), entry.oid) as history,
             entry.relfilenode::text as file,
             ${kindOf('entry')} as kind,
             case when entry.relkind = 'r' and current_setting('track_counts')::boolean
                  then pg_stat_get_tuples_inserted(entry.oid) end as inserted,
             pg_stat_get_tuples_updated(entry.oid) as updated,
             case when not pg_is_in_recovery() then pg_current_wal_insert_lsn() end as written_lsn
      from pg_class entry, pg_current_snapshot() snapshot
      where entry.oid = $1::regclass`,
    values: [table],
  };
}

/** @throws PostgresError */
function refuseUncountable(table: string, kind: string): void {
  const reason = whyUncountable(table, kind);
  if (reason) throw new PostgresError('other', reason.what, { repair: reason.repair });
}

function readHead(row: Row): Head {
  const inserted = row['inserted'];
  return {
    identity: { history: String(row['history']), file: String(row['file']) },
    settledXid: Number(row['settled_xid']),
    nextXid: Number(row['next_xid']),
    nowUnixMs: Number(row['now_unix_ms']),
    statistics: inserted === null ? undefined : { inserted: Number(inserted), updated: Number(row['updated']) },
  };
}

function keyedRow(row: Row): KeyedRow {
  return { key: String(row[columns.key]), events: Number(row[columns.events]) };
}
