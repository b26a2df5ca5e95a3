import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { runSql } from '../../support/postgres/test-postgres.ts';
import { cpuMicroseconds } from '../process-usage.ts';

const SAMPLE_EVERY_MS = 1000;

/**
 * Returns the CPU that the server spends on sessions of this application, as a share of one core; undefined if the
 * server's processes are not visible to this one. A parallel worker counts if the samples, one a second, include it.
 */
export async function sessionsCpuShare(
  url: string,
  application: string,
  durationMs: number,
): Promise<number | undefined> {
  const startedAt = performance.now();
  const first = await usedBySession(url, application);
  const last = new Map(first);
  while (performance.now() - startedAt < durationMs) {
    await sleep(SAMPLE_EVERY_MS);
    for (const [pid, used] of await usedBySession(url, application)) last.set(pid, used);
  }
  if (last.size === 0) return undefined;
  // A session without a first sample started later; all of its CPU time counts.
  const spent = [...last].reduce((sum, [pid, used]) => sum + used - (first.get(pid) ?? 0), 0);
  return spent / 1000 / (performance.now() - startedAt);
}

/** CPU time of each session so far in microseconds, by process id. */
async function usedBySession(url: string, application: string): Promise<Map<number, number>> {
  const rows = await runSql(
    url,
    `select pid from pg_stat_activity where datname = current_database() and application_name = $1`,
    [application],
  );
  const here = rows.map(({ pid }) => Number(pid)).filter((pid) => existsSync(`/proc/${pid}/stat`));
  return new Map(here.map((pid) => [pid, cpuMicroseconds(pid)]));
}
