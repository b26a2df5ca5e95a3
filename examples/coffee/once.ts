import { setTimeout as sleep } from 'node:timers/promises';
import { checkArrival, type Check } from './check-arrival.ts';
import { askDatabase } from './database/database-truth.ts';
import { scrape } from './scrape-page.ts';
import type { Demo } from './start-demo.ts';

const pipelineTimeoutMs = 30_000;
const arrivalTimeoutMs = 15_000;

/** Waits until the pipeline has finished its runs and all their data has arrived, or until a timeout. */
export async function awaitArrival(demo: Demo): Promise<Check[]> {
  const late = sleep(pipelineTimeoutMs, 'late', { ref: false });
  if ((await Promise.race([demo.pipelineEnded(), late])) === 'late') {
    throw new Error(`the pipeline did not end within ${pipelineTimeoutMs / 1000} s`);
  }
  const end = performance.now() + arrivalTimeoutMs;
  for (;;) {
    const checks = await check(demo);
    if (checks.every(({ ok }) => ok) || performance.now() > end) return checks;
    await sleep(250);
  }
}

/** Formats the checks as a table. */
export function checkTable(checks: readonly Check[]): string[] {
  const rows = [
    ['checked', 'seen', 'expected', ''],
    ...checks.map(({ what, seen, expected, ok }) => [what, seen, expected, ok ? 'ok' : 'MISSING']),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

async function check(demo: Demo): Promise<Check[]> {
  const [page, truth] = await Promise.all([scrape(demo.ports.scrape), askDatabase(demo.databaseUrl)]);
  return checkArrival({ page, truth, baseline: demo.baseline, sink: demo.sink, runs: demo.runs.latest });
}
