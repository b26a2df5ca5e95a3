/** `npm run soak`: runs siphon under a steady load with changing series; its memory must stay flat. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { builtSiphon, CollectorProcess } from '../support/processes/collector-process.ts';
import { freePorts } from '../support/network/free-ports.ts';
import { PacedLoad, POINTS_PER_REQUEST } from './paced-load.ts';
import { cpuMicroseconds, peakMebibytes, residentMebibytes } from './process-usage.ts';
import { scrape } from './scrape.ts';
import { verdict, type Sample, type SoakOrder } from './soak-verdict.ts';

const HELP = `npm run soak -- [options]

  --minutes N                      duration, at least 6 (default: 30)
  --points-per-second N            load (default: 50000)
  --series N                       active series, a multiple of ${POINTS_PER_REQUEST} (default: 100000)
  --churn-percent-per-minute N     share of the series replaced by new ones (default: 10)
  --vary no                        new series keep the metric name, labels, target and buckets (default: yes)
  --json FILE                      write the samples and the verdict to this file
  --help                           print this text

Exits with 0 if memory and the number of series stayed flat after the warm-up and siphon accepted all points.
From 120 minutes on, memory may grow by 0.5 MiB per hour; in a shorter run, noise is larger than that, and 60 are allowed.
`;

const EXPIRATION_MINUTES = 2;
const SAMPLE_EVERY_MS = 10_000;
const SCRAPE_EVERY_MS = 15_000;
const PROGRESS_EVERY_MS = 60_000;

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    'points-per-second': { type: 'string', default: '50000' },
    series: { type: 'string', default: '100000' },
    'churn-percent-per-minute': { type: 'string', default: '10' },
    vary: { type: 'string', default: 'yes' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

// Exit handlers stop the program under load.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const order: SoakOrder = {
  minutes: Number(options.minutes),
  pointsPerSecond: Number(options['points-per-second']),
  series: Number(options.series),
  churnPercentPerMinute: Number(options['churn-percent-per-minute']),
  expirationMinutes: EXPIRATION_MINUTES,
  varies: options.vary !== 'no',
};

if (options.help) process.stdout.write(HELP);
else if (isValid(order)) process.exitCode = (await soak(order)) ? 0 : 1;
else {
  process.stderr.write(HELP);
  process.exitCode = 2;
}

function isValid({ minutes, pointsPerSecond, series, churnPercentPerMinute }: SoakOrder): boolean {
  const requests = series / POINTS_PER_REQUEST;
  return (
    minutes >= 6 && pointsPerSecond > 0 && requests >= 1 && Number.isInteger(requests) && churnPercentPerMinute >= 0
  );
}

async function soak(ordered: SoakOrder): Promise<boolean> {
  const [otlpPort = 0, scrapePort = 0] = await freePorts(2);
  await using target = await CollectorProcess.start(builtSiphon, configuration(otlpPort, scrapePort, ordered));
  const load = new PacedLoad({ port: otlpPort, ...ordered });
  const startedAt = performance.now();
  const ended = new AbortController();
  const { samples, observers } = observe(target.pid, scrapePort, ended.signal);
  const failure = await Promise.race([load.run(ordered.minutes * 60_000), observers]).then(
    () => undefined,
    (error: unknown) => String(error),
  );
  ended.abort();
  const usage = {
    points: load.points,
    replacedSeries: load.replacedSeries,
    acceptedPerSecond: (load.points * 1000) / (performance.now() - startedAt),
    cpuMicrosecondsPerPoint: cpuMicroseconds(target.pid) / load.points,
    peakMebibytes: peakMebibytes(target.pid),
  };
  const judged = verdict(ordered, samples, { ...usage, failure });
  const report = { order: ordered, ...usage, ...judged };
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify({ ...report, samples })}\n`);
  return judged.passed;
}

/** `observers` resolves when the signal aborts, and rejects when siphon stops responding. */
function observe(
  pid: number,
  scrapePort: number,
  signal: AbortSignal,
): { samples: Sample[]; observers: Promise<void> } {
  const samples: Sample[] = [];
  const startedAt = performance.now();
  let page = { series: 0, scrapeMs: 0 };
  const look = async (): Promise<void> => {
    page = await pageOf(scrapePort);
  };
  const sample = (): void => {
    const minute = (performance.now() - startedAt) / 60_000;
    samples.push({ minute, residentMebibytes: residentMebibytes(pid), ...page });
  };
  const report = (): void => {
    process.stdout.write(progress(samples.at(-1)));
  };
  const observers = Promise.all([
    every(SCRAPE_EVERY_MS, signal, look),
    every(SAMPLE_EVERY_MS, signal, sample),
    every(PROGRESS_EVERY_MS, signal, report),
  ]);
  return { samples, observers: observers.then(() => undefined) };
}

/** Runs `work` at every interval, sequentially, until the signal aborts. It does not catch up after a late run. */
async function every(intervalMs: number, signal: AbortSignal, work: () => void | Promise<void>): Promise<void> {
  for (;;) {
    await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    await work();
  }
}

async function pageOf(port: number): Promise<{ series: number; scrapeMs: number }> {
  const { durationMs, text } = await scrape(port, 'gzip');
  // A histogram is one series of the load.
  const series = text().match(/^bench_(?:requests|latency)[^{]*_(?:total|count)\{/gm)?.length ?? 0;
  return { series, scrapeMs: durationMs };
}

function progress(sample: Sample | undefined): string {
  if (sample === undefined) return '';
  const { minute, residentMebibytes: resident, series, scrapeMs } = sample;
  return `${minute.toFixed(1)} min: ${resident.toFixed(0)} MiB, ${series} series, scrape ${scrapeMs.toFixed(0)} ms\n`;
}

function configuration(otlpPort: number, scrapePort: number, { expirationMinutes }: SoakOrder): unknown {
  return {
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${otlpPort}` } } } },
    exporters: {
      prometheus: { endpoint: `127.0.0.1:${scrapePort}`, metric_expiration: `${expirationMinutes}m` },
    },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: { metrics: { receivers: ['otlp'], exporters: ['prometheus'] } },
    },
  };
}
