import type { Finding } from '../engine/component.ts';
import type { PostgresError, PostgresFailure } from './postgres-error.ts';

/** A query that uses more than this share of its timeout may fail under load. */
const SLOW_SHARE = 0.5;

/** A query that was run once as a test. */
export interface TriedQuery {
  readonly name: string;
  readonly timeoutMs: number;
  /** A sentence about how to give it more time, or make it faster. */
  readonly longer: string;
  /** The SQL name of the role that ran it. */
  readonly role: string;
}

/** @param yields the missing results, in the plural. */
export function failureFinding({ name, longer, role }: TriedQuery, error: PostgresError, yields: string): Finding {
  const repairs: Partial<Record<PostgresFailure, string>> = {
    timeout: longer,
    lock_timeout: 'Find the session that holds the lock with pg_blocking_pids() and pg_stat_activity, and end it',
    permission: `grant select on its tables, and usage on the schema, to ${role};`,
    missing_table: 'Correct the name, and prefix it with the schema',
    missing_column: 'Correct the name of the column',
    read_only: 'Use a statement that only reads',
    too_many_rows: 'Aggregate the rows in SQL, or select fewer',
    other: `Try it in psql, as role ${role}`,
  };
  const [, called] = /permission denied for function (\S+)/.exec(error.message) ?? [];
  const call = called === undefined ? undefined : `grant execute on function ${called} to ${role};`;
  const repair = error.repair ?? call ?? repairs[error.reason];
  const what = `${name} returns no ${yields}: ${error.message}`;
  return { severity: 'error', what, ...(repair !== undefined && { repair }) };
}

export function slowFindings({ name, timeoutMs, longer }: TriedQuery, durationMs: number): Finding[] {
  if (durationMs <= timeoutMs * SLOW_SHARE) return [];
  const what = `${name} takes ${Math.round(durationMs)} ms; its timeout is ${timeoutMs} ms`;
  return [{ severity: 'warning', what, repair: longer }];
}
