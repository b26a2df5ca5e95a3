import type { ReadOnlyPool, Row, TransactionLimits } from '../../../../postgres/read-only-pool.ts';
import { SERVER_SESSIONS } from '../../../../postgres/server-sessions.ts';

/** More waiting sessions are not examined: PostgreSQL looks at all locks for each of them. */
const MAX_WAITING = 100;
const MAX_BLOCKERS = 10;
const MAX_SESSIONS = MAX_WAITING * (1 + MAX_BLOCKERS);
const MAX_QUERY = 1000;

/** A session of the server. Times are Unix milliseconds of the server's clock. */
export interface Session {
  readonly pid: number;
  readonly startMs: number;
  /** Undefined outside of a transaction. */
  readonly transactionMs: number | undefined;
  readonly statementMs: number | undefined;
  readonly name: string;
  readonly state: string;
  readonly type: string;
  /** With its values. */
  readonly query: string;
}

/** One session that waits for one other. */
export interface LockWait {
  readonly waiter: Session;
  readonly blocker: Session | PreparedTransaction;
  /** The kind of lock, as `wait_event` names it. */
  readonly lock: string;
  /** When the wait began; undefined before PostgreSQL 14. */
  readonly sinceMs: number | undefined;
}

export interface PreparedTransaction {
  /** Undefined if the wait does not show which one it is. */
  readonly prepared: string | undefined;
}

export interface LockSample {
  readonly waits: readonly LockWait[];
  /** True if more sessions wait than are examined. */
  readonly isCut: boolean;
  /** A moment of the sidecar's clock in which all these transactions were open. */
  readonly atMs: number;
  /** Undefined if no session waits. */
  readonly clock: ClockReading | undefined;
  readonly durationMs: number;
}

/** The clock of the server, read between two times of the sidecar's clock. */
export interface ClockReading {
  readonly serverMs: number;
  readonly afterMs: number;
  readonly beforeMs: number;
}

/**
 * Looks which sessions wait for locks, and for whom. PostgreSQL has no common snapshot of sessions and locks. So the sessions
 * are read before and after the locks: only if both show the same transactions, these are the ones that hold the locks.
 *
 * @param databases the names of the databases whose sessions may wait; undefined: all. Blockers may be in any.
 */
export async function sampleLocks(
  pool: ReadOnlyPool,
  databases: readonly string[] | undefined,
  limits: TransactionLimits,
): Promise<LockSample> {
  return await pool.transaction(limits, async (transaction) => {
    const { rows } = await transaction.query({
      text: SESSIONS_AND_LOCKS,
      values: [databases ?? null],
      maxRows: MAX_SESSIONS,
      parsed: 'scalars',
    });
    const atMs = Date.now();
    const waiting = rows.filter(({ blockers }) => typeof blockers === 'string' && blockers !== '');
    if (waiting.length === 0)
      return { waits: [], isCut: false, atMs, clock: undefined, durationMs: transaction.elapsedMs };
    const [clock] = (await transaction.query({ text: CLEAR_AND_CLOCK, maxRows: 1, parsed: 'scalars' })).rows;
    const afterMs = Date.now();
    const later = await transaction.query({
      text: SESSIONS_AGAIN,
      values: [rows.map(({ pid }) => pid)],
      maxRows: MAX_SESSIONS,
      parsed: 'scalars',
    });
    return {
      waits: lockWaits(rows, waiting.slice(0, MAX_WAITING), later.rows),
      isCut: waiting.length > MAX_WAITING,
      atMs,
      clock: { serverMs: clock!['server_ms'] as number, beforeMs: atMs, afterMs },
      durationMs: transaction.elapsedMs,
    };
  });
}

function lockWaits(before: readonly Row[], waiting: readonly Row[], after: readonly Row[]): LockWait[] {
  const later = new Map(after.map((row) => [row['pid'], row]));
  const same = new Map(before.filter((row) => isSame(row, later.get(row['pid']))).map((row) => [row['pid'], row]));
  return waiting.flatMap((row): LockWait[] => {
    const [waiter, wait] = [same.get(row['pid']), later.get(row['pid'])];
    // The statement is another one, or does not wait any more, or has only begun to.
    if (waiter === undefined || waiter['statement_ms'] !== wait?.['statement_ms'] || wait?.['has_since'] === null)
      return [];
    const sinceMs = numberIn(wait, 'since_ms');
    if (wait?.['has_since'] === true && sinceMs === undefined) return [];
    return [...new Set(String(row['blockers']).split(',').map(Number))]
      .slice(0, MAX_BLOCKERS)
      .flatMap((pid): LockWait[] => {
        const blocker = pid === 0 ? preparedIn(wait) : same.has(pid) ? sessionIn(same.get(pid)!) : undefined;
        if (blocker === undefined) return [];
        return [{ waiter: sessionIn(waiter), blocker, lock: String(row['wait_event']), sinceMs }];
      });
  });
}

/** False if the session ended, or its transaction, and another one has the process id. */
function isSame(before: Row, after: Row | undefined): boolean {
  return (['start_ms', 'transaction_ms'] as const).every((name) => before[name] === after?.[name]);
}

function sessionIn(row: Row): Session {
  const text = (name: string): string => (row[name] ?? '') as string;
  return {
    pid: row['pid'] as number,
    startMs: row['start_ms'] as number,
    transactionMs: numberIn(row, 'transaction_ms'),
    statementMs: numberIn(row, 'statement_ms'),
    name: text('application_name'),
    state: text('state'),
    type: text('backend_type'),
    query: text('query'),
  };
}

function preparedIn(wait: Row | undefined): PreparedTransaction {
  const gid = wait?.['prepared'];
  return { prepared: typeof gid === 'string' ? gid : undefined };
}

function numberIn(row: Row | undefined, name: string): number | undefined {
  const value = row?.[name];
  return typeof value === 'number' ? value : undefined;
}

const TIMES = ['backend_start as start', 'xact_start as transaction', 'query_start as statement']
  .map((column) => column.split(' as ') as [string, string])
  .map(([column, name]) => `(extract(epoch from ${column}) * 1000)::float8 as ${name}_ms`)
  .join(', ');

/** The function is read as a whole before the first row, so the sessions are older than the locks. */
const SESSIONS_AND_LOCKS = `
  with sessions as materialized (select * from ${SERVER_SESSIONS}),
  waiting as materialized (
    select pid, pg_blocking_pids(pid) as blockers from sessions
    where wait_event_type = 'Lock' and query_start is not null
      and ($1::text[] is null or datid in (select oid from pg_database where datname = current_database() or datname = any ($1)))
    limit ${MAX_WAITING + 1})
  select pid, ${TIMES}, application_name, state, backend_type, left(query, ${MAX_QUERY}) as query, wait_event,
    array_to_string(blockers, ',') as blockers
  from sessions left join waiting using (pid)
  where blockers is not null or pid in (select unnest(blockers) from waiting)`;

const CLEAR_AND_CLOCK = `select pg_stat_clear_snapshot(), (extract(epoch from clock_timestamp()) * 1000)::float8 as server_ms`;

/**
 * `waitstart` exists since PostgreSQL 14; before, the name leads to the NULL of `older`. The functions are those of pg_locks
 * and pg_prepared_xacts, without the names of users and databases.
 */
const SESSIONS_AGAIN = `
  select sessions.pid, ${TIMES}, prepared.gid as prepared,
    case when lock.pid is not null then current_setting('server_version_num')::int >= 140000 end as has_since,
    (extract(epoch from (select waitstart from (select lock.*) known)) * 1000)::float8 as since_ms
  from (select null::timestamptz as waitstart) older, ${SERVER_SESSIONS} sessions
  left join pg_lock_status() lock on lock.pid = sessions.pid and not lock.granted
  left join pg_prepared_xact() prepared on prepared.transaction = lock.transactionid
  where sessions.pid = any ($1)`;
