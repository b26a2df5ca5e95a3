/**
 * Prints how long the built sidecar takes until it is ready, and what it holds when idle, on each shipped
 * configuration: `node tests/bench/startup.ts [FILE…]`.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Sidecar } from '../support/sidecar.ts';

const STARTS = 5;
const IDLE_MS = 3000;

const [, , ...files] = process.argv;
for (const config of files.length > 0 ? files : ['otel-collector.yaml']) {
  const starts: Start[] = [];
  for (let start = 0; start < STARTS; start++) starts.push(await measureStart(config));
  const ready = median(starts.map(({ readyMs }) => readyMs)).toFixed(0);
  const [rss, peak] = [median(starts.map(({ rssMib }) => rssMib)), median(starts.map(({ peakMib }) => peakMib))];
  process.stdout.write(
    `${config}: ready in ${ready} ms, idle ${rss.toFixed(1)} MiB resident, at most ${peak.toFixed(1)} MiB\n`,
  );
}

interface Start {
  readonly readyMs: number;
  readonly rssMib: number;
  readonly peakMib: number;
}

async function measureStart(config: string): Promise<Start> {
  const startedAtMs = Date.now();
  await using sidecar = await Sidecar.start({ config });
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
