/**
 * Prints how long the built sidecar takes until it is ready, and what it holds when idle, on a configuration (the
 * shipped one, unless named) by what the environment turns on: `node tests/bench/startup.ts [FILE…]`.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTestPostgres } from '../support/postgres.ts';
import { Sidecar, type SidecarOptions } from '../support/sidecar.ts';

const STARTS = 5;
const IDLE_MS = 3000;

const [, , ...files] = process.argv;
await using database = await startTestPostgres();
const environments: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'nothing set': {},
  DATABASE_URL: { DATABASE_URL: database.url },
  SENTRY_DSN: { SENTRY_DSN: 'https://key@127.0.0.1:9/1' },
};
for (const config of files.length > 0 ? files : ['otel-collector.yaml']) {
  for (const [name, environment] of Object.entries(environments)) await report(name, { config, environment });
}

async function report(name: string, options: SidecarOptions): Promise<void> {
  const starts: Start[] = [];
  for (let start = 0; start < STARTS; start++) starts.push(await measureStart(options));
  const ready = median(starts.map(({ readyMs }) => readyMs)).toFixed(0);
  const [rss, peak] = [median(starts.map(({ rssMib }) => rssMib)), median(starts.map(({ peakMib }) => peakMib))];
  process.stdout.write(
    `${options.config}, ${name}: ready in ${ready} ms, idle ${rss.toFixed(1)} MiB resident, at most ${peak.toFixed(1)} MiB\n`,
  );
}

interface Start {
  readonly readyMs: number;
  readonly rssMib: number;
  readonly peakMib: number;
}

async function measureStart(options: SidecarOptions): Promise<Start> {
  const startedAtMs = Date.now();
  await using sidecar = await Sidecar.start(options);
  // The line tells the time itself, so that the pace at which the log is looked at does not count.
  const ready = await sidecar.waitForLog('Everything is ready');
  const readyMs = Date.parse(String(ready['time'])) - startedAtMs;
  await sleep(IDLE_MS);
  const status = readFileSync(`/proc/${sidecar.process.pid}/status`, 'utf8');
  return { readyMs, rssMib: mebibytes(status, 'VmRSS'), peakMib: mebibytes(status, 'VmHWM') };
}

function mebibytes(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
