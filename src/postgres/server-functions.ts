import { PostgresError } from './postgres-error.ts';
import type { ReadOnlyPool } from './read-only-pool.ts';

/** The functions of the server that some platforms refuse, or do not grant. */
export interface ServerFunctions {
  /** Positions in the write-ahead log. Aurora has none without logical replication. */
  readonly hasWal: boolean;
  /** The server's identifier and its checkpoints. */
  readonly hasControl: boolean;
}

const known = new WeakMap<ReadOnlyPool, Promise<ServerFunctions>>();
const TIMEOUT_MS = 5000;

/** Asks once for each pool. @throws PostgresError if the database does not answer */
export async function serverFunctions(pool: ReadOnlyPool): Promise<ServerFunctions> {
  const asked = known.get(pool) ?? ask(pool);
  known.set(pool, asked);
  try {
    return await asked;
  } catch (error) {
    known.delete(pool);
    throw error;
  }
}

/** The next call asks again, because the rights may have changed or another server answers. */
export function forgetServerFunctions(pool: ReadOnlyPool): void {
  known.delete(pool);
}

async function ask(pool: ReadOnlyPool): Promise<ServerFunctions> {
  return { hasWal: await works(pool, WAL), hasControl: await works(pool, CONTROL) };
}

const WAL = `
  select case when not pg_is_in_recovery() then pg_walfile_name(pg_current_wal_insert_lsn()) end as file,
         case when not pg_is_in_recovery() then pg_current_wal_flush_lsn() end as flushed`;
const CONTROL = `
  select (select system_identifier from pg_control_system()), (select timeline_id from pg_control_checkpoint())`;

async function works(pool: ReadOnlyPool, text: string): Promise<boolean> {
  try {
    await pool.query({ text, timeoutMs: TIMEOUT_MS, maxRows: 1 });
    return true;
  } catch (error) {
    if (!(error instanceof PostgresError) || !REFUSALS.has(error.reason)) throw error;
    return false;
  }
}

/** A platform refuses a function that it does not support with an error of its own. */
const REFUSALS: ReadonlySet<PostgresError['reason']> = new Set(['permission', 'other']);
