import { setTimeout as sleep } from 'node:timers/promises';
import { checkArrival, type Check } from './check-arrival.ts';
import { askDatabase } from './database/database-truth.ts';
import { linkedTraces, scrape } from './scrape-page.ts';
import type { RunReport } from './pipeline/run-report.ts';
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
  const { ports, baseline, sink } = demo;
  const runs = demo.runs.latest;
  const [page, linked, truth, stored] = await Promise.all([
    scrape(ports.scrape),
    linkedTraces(ports.scrape),
    askDatabase(demo.databaseUrl),
    storedTraces(ports.store, runs),
  ]);
  return checkArrival({ page, truth, baseline, sink, runs, linkedTraces: linked, storedTraces: stored });
}

async function storedTraces(port: number, runs: readonly RunReport[]): Promise<ReadonlySet<string>> {
  const ids = runs.flatMap(({ traceId }) => traceId ?? []);
  const isStored = async (id: string): Promise<boolean> =>
    (await fetch(`http://127.0.0.1:${port}/api/traces/${id}`)).ok;
  const found = await Promise.all(ids.map(async (id) => ((await isStored(id)) ? [id] : [])));
  return new Set(found.flat());
}
