/**
 * `node tests/bench/startup.ts [FILE…]` measures how long the built sidecar takes to become ready and its idle memory,
 * for each configuration (by default the shipped one) and environment. The first line is bare Node as a baseline: the
 * resident part of its executable differs between machines by up to 15 MiB.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTestPostgres } from '../support/postgres/test-postgres.ts';
import { Sidecar, type SidecarOptions } from '../support/processes/sidecar.ts';

const STARTS = 5;
const IDLE_MS = 3000;

const [, , ...files] = process.argv;
await using database = await startTestPostgres();
const environments: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'nothing set': {},
  DATABASE_URL: { DATABASE_URL: database.url },
  SENTRY_DSN: { SENTRY_DSN: 'https://key@127.0.0.1:9/1' },
};
await reportBareNode();
for (const config of files.length > 0 ? files : ['otel-collector.yaml']) {
  for (const [name, environment] of Object.entries(environments))
    await report(name, { configs: [config], environment });
}

async function reportBareNode(): Promise<void> {
  const bare = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' });
  await once(bare, 'spawn');
  await sleep(IDLE_MS);
  const status = statusOf(bare.pid);
  bare.kill();
  process.stdout.write(`bare Node: ${residentText(mebibytes(status, 'VmRSS'), mebibytes(status, 'RssAnon'))}\n`);
}

async function report(name: string, options: SidecarOptions): Promise<void> {
  const starts: Start[] = [];
  for (let start = 0; start < STARTS; start++) starts.push(await measureStart(options));
  const ready = median(starts.map(({ readyMs }) => readyMs)).toFixed(0);
  const [rss, anonymous] = [
    median(starts.map(({ rssMib }) => rssMib)),
    median(starts.map(({ anonymousMib }) => anonymousMib)),
  ];
  const peak = median(starts.map(({ peakMib }) => peakMib)).toFixed(1);
  process.stdout.write(
    `${options.configs?.join(' and ')}, ${name}: ready in ${ready} ms, ${residentText(rss, anonymous)}, at most ${peak} MiB\n`,
  );
}

interface Start {
  readonly readyMs: number;
  readonly rssMib: number;
  /** Anonymous memory: heaps, stacks, buffers. */
  readonly anonymousMib: number;
  readonly peakMib: number;
}

async function measureStart(options: SidecarOptions): Promise<Start> {
  const startedAtMs = Date.now();
  await using sidecar = await Sidecar.start(options);
  // The timestamp of the line is exact. The time of reading it depends on how often the log is polled.
  const ready = await sidecar.waitForLog('Everything is ready');
  const readyMs = Date.parse(String(ready['time'])) - startedAtMs;
  await sleep(IDLE_MS);
  const status = statusOf(sidecar.process.pid);
  const [rssMib, anonymousMib] = [mebibytes(status, 'VmRSS'), mebibytes(status, 'RssAnon')];
  return { readyMs, rssMib, anonymousMib, peakMib: mebibytes(status, 'VmHWM') };
}

function residentText(rssMib: number, anonymousMib: number): string {
  return `idle ${rssMib.toFixed(1)} MiB resident, ${anonymousMib.toFixed(1)} MiB of it anonymous`;
}

function statusOf(pid: number | undefined): string {
  return readFileSync(`/proc/${pid}/status`, 'utf8');
}

function mebibytes(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
