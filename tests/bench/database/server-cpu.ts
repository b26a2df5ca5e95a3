import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { runSql } from '../../support/postgres.ts';
import { cpuMicroseconds } from '../process-usage.ts';

const SAMPLE_EVERY_MS = 1000;

/**
 * CPU that the server spends on sessions of this application over some time, as a share of one core; undefined where
 * the server's processes are not to be seen from here. Parallel workers count as far as a sample a second sees them.
 */
export async function sessionsCpuShare(
  url: string,
  application: string,
  durationMs: number,
): Promise<number | undefined> {
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  const startedAt = performance.now();
  let isFirstSample = true;
  do {
    for (const pid of await pidsOf(url, application)) {
      const used = usedBy(pid);
      if (used === undefined) continue;
      // A session that was not there at the first sample has spent everything since then.
      if (!first.has(pid)) first.set(pid, isFirstSample ? used : 0);
      last.set(pid, used);
    }
    isFirstSample = false;
    await sleep(SAMPLE_EVERY_MS);
  } while (performance.now() - startedAt < durationMs);
  if (last.size === 0) return undefined;
  const spent = [...last].reduce((sum, [pid, used]) => sum + used - (first.get(pid) ?? 0), 0);
  return spent / 1000 / (performance.now() - startedAt);
}

async function pidsOf(url: string, application: string): Promise<number[]> {
  const rows = await runSql(
    url,
    `select pid from pg_stat_activity where datname = current_database() and application_name = $1`,
    [application],
  );
  return rows.map(({ pid }) => Number(pid));
}

function usedBy(pid: number): number | undefined {
  return existsSync(`/proc/${pid}/stat`) ? cpuMicroseconds(pid) : undefined;
}
