import type { Finding } from '../engine/component.ts';
import type { PostgresError, PostgresFailure } from './postgres-error.ts';

/** Of its timeout; a query that comes nearer fails on the next busy day. */
const SLOW_SHARE = 0.5;

/** A query that was run once, to see whether it can be. */
export interface TriedQuery {
  readonly name: string;
  readonly timeoutMs: number;
  /** How it is given more time, or needs less, as a sentence. */
  readonly longer: string;
  /** Whom it was run as, as SQL wants the name. */
  readonly role: string;
}

/** @param yields what it does not give, in the plural. */
export function failureFinding({ name, longer, role }: TriedQuery, error: PostgresError, yields: string): Finding {
  const repairs: Partial<Record<PostgresFailure, string>> = {
    timeout: longer,
    lock_timeout: 'Look in pg_stat_activity for who holds the lock, with pg_blocking_pids(), and let it end',
    permission: `grant select on what it reads, and usage on the schema, to ${role};`,
    missing_table: 'Correct the name, and write the schema before it',
    missing_column: 'Correct the name of the column',
    read_only: 'Let it only read',
    too_many_rows: 'Let the database aggregate them, or ask for fewer',
    other: `Try it in psql, as the role ${role}`,
  };
  const repair = error.repair ?? repairs[error.reason];
  const what = `${name} gives no ${yields}: ${error.message}`;
  return { severity: 'error', what, ...(repair !== undefined && { repair }) };
}

export function slowFindings({ name, timeoutMs, longer }: TriedQuery, durationMs: number): Finding[] {
  if (durationMs <= timeoutMs * SLOW_SHARE) return [];
  const what = `${name} takes ${Math.round(durationMs)} ms of the ${timeoutMs} ms that it may`;
  return [{ severity: 'warning', what, repair: longer }];
}
