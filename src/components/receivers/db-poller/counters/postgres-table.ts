import { PostgresError } from '../../../../postgres/postgres-error.ts';
import type { ReadOnlyPool, ReadOnlyTransaction, Row } from '../../../../postgres/read-only-pool.ts';
import { forgetServerFunctions, serverFunctions, type ServerFunctions } from '../../../../postgres/server-functions.ts';
import type { Schema, Statement } from '../query.ts';
import { kindOf, whyUncountable } from './countable.ts';
import type {
  CountedTable,
  Head,
  KeyedRow,
  Patience,
  RowsRequest,
  SettledRow,
  SettledRows,
  Sweep,
  SweptRows,
  TableSnapshot,
} from './counted-table.ts';
import type { CounterQuery } from '../query.ts';
import { UNKNOWN, type Position } from './counted-table.ts';
import {
  columns,
  firstRows,
  inParts,
  PARTITION_BOUNDS,
  MAX_SWEPT,
  mostWaiting,
  rowsBefore,
  rowsWithEvents,
  settledRows,
  sweptCount,
  sweptRows,
} from './settled-rows.ts';

const MAX_KNOWN = 20_000;
/** Rows that live for a short time: more would leave the young generation. */
const CHUNK_ROWS = 2000;
/** Usually, three rounds of the WAL writer are enough for asynchronous commits. A round takes 0.2 s by default. */
const LONGEST_FLUSH_MS = 600;
/** The WAL writer leaves an end that no commit needs. An end that is still not on disk after this time is such a one. */
const LONGEST_COMMIT_MS = 5000;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 100;

/** A table in PostgreSQL, read in read-only `REPEATABLE READ` transactions. */
export class PostgresTable implements CountedTable {
  readonly #pool: ReadOnlyPool;
  readonly #query: CounterQuery;
  #durationMs = 0;
  #schema: Schema | undefined;
  #signal: AbortSignal | undefined;
  readonly #logEnd = new LogEnd();

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
    const functions = await serverFunctions(this.#pool);
    return await this.#pool.transaction({ timeoutMs, signal: this.#signal }, async (transaction) => {
      const table = schema.table(this.#query.table);
      const head = await this.#head(transaction, headOf(table, this.#query.key, functions));
      refuseUncountable(table, String(head['kind']));
      const asked = { query: this.#query, schema, timeoutMs, logEnd: this.#logEnd };
      const snapshot = new PostgresSnapshot(transaction, asked, head);
      const result = await work(snapshot);
      this.#durationMs = transaction.elapsedMs - snapshot.waitedMs;
      return result;
    });
  }

  /** @throws PostgresError */
  async #head(transaction: ReadOnlyTransaction, statement: Statement): Promise<Row> {
    try {
      return (await transaction.query({ ...statement, maxRows: 1 })).rows[0]!;
    } catch (error) {
      forgetServerFunctions(this.#pool);
      throw error;
    }
  }
}

interface Asked {
  readonly query: CounterQuery;
  readonly schema: Schema;
  readonly timeoutMs: number;
  readonly logEnd: LogEnd;
}

/** The end of the log that was not on disk when it was last looked at. */
class LogEnd {
  #lsn: unknown;
  #sinceMs = 0;

  /** True if the log has ended there for so long that all commits before it are on disk. */
  isSilent(lsn: unknown): boolean {
    if (lsn !== this.#lsn) this.#sinceMs = performance.now();
    this.#lsn = lsn;
    return performance.now() - this.#sinceMs >= LONGEST_COMMIT_MS;
  }
}

class PostgresSnapshot implements TableSnapshot {
  readonly head: Head;
  #waitedMs = 0;
  readonly #transaction: ReadOnlyTransaction;
  readonly #query: CounterQuery;
  readonly #schema: Schema;
  readonly #timeoutMs: number;
  readonly #logEnd: LogEnd;
  readonly #writtenLsn: unknown;

  constructor(transaction: ReadOnlyTransaction, asked: Asked, head: Row) {
    this.#transaction = transaction;
    this.#query = asked.query;
    this.#schema = asked.schema;
    this.#timeoutMs = asked.timeoutMs;
    this.#logEnd = asked.logEnd;
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
    const waiting = Number(rows[0]?.[columns.waiting] ?? 0);
    const isTooMany = waiting > mostWaiting(request.limit);
    return {
      rows: rows.map(settledRow),
      waiting,
      isTooMany,
      isFull: rows.length === request.limit,
      last: last && { xid: request.after.xid + Number(last[columns.distance]), key: String(last[columns.key]) },
    };
  }

  async swept(sweep: Sweep, blocks: number): Promise<SweptRows> {
    const limit = blocks === 1 ? MAX_OF_ONE_BLOCK : MAX_SWEPT;
    const range = { sweep, inParts: await this.#inParts(sweep.parts), blocks, limit: limit + 1, nextXid: this.head.nextXid }; // prettier-ignore
    const rows = await this.#ask(sweptRows(this.#query, this.#schema, range), limit + 1);
    const isTooMany = rows.length > limit;
    return { rows: isTooMany ? [] : rows.map(settledRow), isTooMany };
  }

  async count(sweep: Sweep, blocks: number): Promise<number> {
    const range = { sweep, inParts: await this.#inParts(sweep.parts), blocks, nextXid: this.head.nextXid };
    const [found] = await this.#ask(sweptCount(this.#query, this.#schema, range), 1);
    return Number(found!['rows']);
  }

  async blocks(parts?: readonly string[]): Promise<number> {
    const all = parts ?? Object.keys(this.head.identity.parts);
    const [found] = await this.#ask({ text: BLOCKS, values: [all] }, 1);
    return Number(found!['blocks']);
  }

  async hasRowsBefore({ xid }: Position, parts: readonly string[]): Promise<boolean> {
    const asked = { xid, nextXid: this.head.nextXid, parts: (await this.#inParts(parts)) ?? 'true' };
    const [found] = await this.#ask(rowsBefore(this.#query, this.#schema, asked), 1);
    return found!['exist'] === true;
  }

  async #inParts(parts: readonly string[] | undefined): Promise<string | undefined> {
    if (parts === undefined) return undefined;
    return inParts(await this.#ask({ text: PARTITION_BOUNDS, values: [parts] }, parts.length));
  }

  async *everyRow(part: Parameters<TableSnapshot['everyRow']>[0]): AsyncGenerator<readonly KeyedRow[]> {
    const text = rowsWithEvents(this.#query, this.#schema, { ...part, nextXid: this.head.nextXid });
    for await (const rows of this.#transaction.chunks(text, CHUNK_ROWS)) yield rows.map(keyedRow);
  }

  async known(): Promise<readonly Row[]> {
    const statement = this.#query.known?.(this.#schema);
    return statement ? await this.#ask(statement, MAX_KNOWN) : [];
  }

  async existing(): Promise<readonly Row[]> {
    const statement = this.#query.existing?.(this.#schema);
    return statement ? await this.#ask(statement, MAX_KNOWN) : [];
  }

  async isRewritten(since: Position): Promise<boolean> {
    const [found] = await this.#ask(firstRows(this.#query, this.#schema, since.xid), 1);
    // After VACUUM FULL old rows keep their numbers; after TRUNCATE only rows of other transactions exist, if any.
    if (Number(found?.['written_before']) > 0) return false;
    return Number(found?.['with_table']) > 0 || (Number(found?.['writers']) === 1 && Number(found?.['writers_before_table']) === 1); // prettier-ignore
  }

  /**
   * A crash loses transactions whose end is not in the WAL on disk, and reuses their numbers for others, which would
   * then lie before the position. The session survives the wait only without a crash.
   */
  async endedForGood(patience: Patience): Promise<boolean> {
    // The statement timeout must not end a pause.
    const longestMs = Math.min(LONGEST_PAUSE_MS, this.#timeoutMs / 2);
    const patienceMs = patience === 'waits as long as needed' ? LONGEST_COMMIT_MS : LONGEST_FLUSH_MS;
    for (let pauseMs = FIRST_PAUSE_MS; this.#waitedMs < patienceMs; pauseMs *= 2) {
      if (await this.#isFlushed()) return true;
      if (patience === 'does not wait') return false;
      await this.#pause(Math.min(pauseMs, longestMs));
    }
    return patience === 'waits as long as needed' || this.#logEnd.isSilent(this.#writtenLsn);
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

/**
 * A server in recovery applies only transactions that are on disk already, so `written_lsn` is NULL there, and counts no
 * rows in its statistics. The statistics of a table do not include those of tables that inherit from it. The timeline in
 * `pg_control_checkpoint` is that of the last checkpoint, which is later than a promotion. Without the functions of the log,
 * an ended transaction counts as durable: it is on Aurora, the platform that refuses them.
 */
function headOf(table: string, key: readonly string[], { hasWal, hasControl }: ServerFunctions): Statement {
  const writtenLsn = hasWal ? 'case when not pg_is_in_recovery() then pg_current_wal_insert_lsn() end' : 'null::pg_lsn';
  const system = hasControl ? '(select system_identifier::text from pg_control_system())' : `'${UNKNOWN}'`;
  const checkpoint = hasControl ? '(select timeline_id::text from pg_control_checkpoint())' : `'${UNKNOWN}'`;
  const timeline = hasWal
    ? `('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int::text`
    : `'${UNKNOWN}'`;
  return {
    text: `
      select pg_snapshot_xmin(snapshot)::text as settled_xid, pg_snapshot_xmax(snapshot)::text as next_xid,
             extract(epoch from clock_timestamp())::float8 * 1000 as now_unix_ms,
             concat_ws('/', ${system}, case when pg_is_in_recovery() then ${checkpoint} else ${timeline} end,
                       (select oid from pg_database where datname = current_database()), entry.oid) as history,
             entry.relfilenode::text as file,
             (select string_agg(attnum || ':' || format_type(atttypid, atttypmod), ',' order by attnum)
              from pg_attribute where attrelid = entry.oid and attname = any ($2::name[]) and not attisdropped) as key,
             ${PARTS} as parts,
             ${kindOf('entry')} as kind,
             case when entry.relkind = 'r' and current_setting('track_counts')::boolean and not pg_is_in_recovery()
                       and not exists (select from pg_inherits where inhparent = entry.oid)
                  then pg_stat_get_tuples_inserted(entry.oid) end as inserted,
             pg_stat_get_tuples_updated(entry.oid) as updated,
             pg_is_in_recovery() as is_standby,
             ${writtenLsn} as written_lsn
      from pg_class entry, pg_current_snapshot() snapshot
      where entry.oid = $1::regclass`,
    values: [table, key.map(unquoted)],
  };
}

function unquoted(identifier: string): string {
  return identifier.startsWith('"') ? identifier.slice(1, -1).replaceAll('""', '"') : identifier;
}

/** More rows than one block of each of a thousand partitions can have. */
const MAX_OF_ONE_BLOCK = 300_000;

const BLOCKS = `
  select coalesce(max(pg_relation_size(part.oid) / current_setting('block_size')::int), 0)::float8 as blocks
  from unnest($1::oid[]) part (oid)`;

/** The files of the table and of all below it, by OID. A partition that is being detached has no rows for new snapshots. */
const PARTS = `(
  with recursive part (oid) as (
    select entry.oid
    union select child.inhrelid from pg_inherits child join part on child.inhparent = part.oid
    where to_jsonb(child) ->> 'inhdetachpending' is distinct from 'true')
  select coalesce(json_object_agg(stored.oid, stored.relfilenode::text), '{}')
  from part join pg_class stored on stored.oid = part.oid where stored.relkind = 'r')`;

/** @throws PostgresError */
function refuseUncountable(table: string, kind: string): void {
  const reason = whyUncountable(table, kind);
  if (reason) throw new PostgresError('other', reason.what, { repair: reason.repair });
}

function readHead(row: Row): Head {
  const inserted = row['inserted'];
  return {
    identity: {
      history: String(row['history']),
      file: String(row['file']),
      key: String(row['key']),
      parts: row['parts'] as Readonly<Record<string, string>>,
    },
    isStandby: row['is_standby'] === true,
    settledXid: Number(row['settled_xid']),
    nextXid: Number(row['next_xid']),
    nowUnixMs: Number(row['now_unix_ms']),
    statistics: inserted === null ? undefined : { inserted: Number(inserted), updated: Number(row['updated']) },
  };
}

function settledRow(row: Row): SettledRow {
  return { ...keyedRow(row), details: row, isHidden: row[columns.hidden] === true };
}

function keyedRow(row: Row): KeyedRow {
  return { key: String(row[columns.key]), events: Number(row[columns.events]) };
}
