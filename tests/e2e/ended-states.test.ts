/** The last values of a process that has ended, on the page of the sidecar. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { InstalledProject, type RunOptions } from '../support/processes/installed-project.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';

/** A job with a result. It waits for SIGUSR2, which is sent when its memory is on the page. */
const JOB = `
  import { metrics } from '@opentelemetry/api';
  import { createInterface } from 'node:readline';
  const meter = metrics.getMeter('app');
  meter.createCounter('jobs').add(3);
  meter.createHistogram('sizes').record(7);
  meter.createGauge('result').record(42);
  meter.createUpDownCounter('open').add(5);
  const running = setInterval(() => {}, 1000);
  process.once('SIGUSR2', () => setTimeout(end, 100));
  console.log('ready');
  function end() {`;

/** Series of the job itself, and of the process. */
const LASTING = ['jobs_total 3', 'result 42', 'service_start_timestamp_seconds', 'sizes_count 1', 'target_info'];
const STATES = ['memory_usage_bytes', 'nodejs_eventloop_utilization_ratio', 'open', 'system_resources_usage'];

let project: InstalledProject;
let sidecar: Sidecar;
beforeAll(async () => {
  [project, sidecar] = await Promise.all([InstalledProject.create(), Sidecar.start()]);
});
afterAll(async () => {
  await Promise.all([project?.[Symbol.asyncDispose](), sidecar?.[Symbol.asyncDispose]()]);
});

it.each([
  ['an empty event loop', 'clearInterval(running);'],
  ['process.exit', 'process.exit();'],
  ['an uncaught error', "throw new Error('broken');"],
  ['SIGTERM', "process.kill(process.pid, 'SIGTERM');"],
])('end by %s with the process, and its counts and results stay', async (how, end) => {
  const job = how.replaceAll(/\W/g, '-');
  await project.write(`${job}.mjs`, `${JOB} ${end} }`);
  const options: RunOptions = {
    flags: ['--import', 'siphon-otel/preload'],
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: sidecar.otlpHttp,
      OTEL_METRIC_EXPORT_INTERVAL: '200',
      OTEL_SERVICE_NAME: job,
      SIPHON_FLUSH_TIMEOUT_MS: '8000',
    },
    onLine: (_, kill) => {
      void waitFor(async () => (await seriesOf(job)).some((line) => line.startsWith('memory_usage_bytes')), {
        what: 'the memory of the job',
      }).then(() => kill('SIGUSR2'));
    },
  };
  await project.run(`${job}.mjs`, options);
  const series = await seriesOf(job);
  for (const name of LASTING) expect(series).toContainEqual(expect.stringContaining(name));
  for (const name of STATES) expect(series).not.toContainEqual(expect.stringMatching(new RegExp(`^${name}\\b`)));
});

/** Name and value of each series of a job. */
async function seriesOf(job: string): Promise<readonly string[]> {
  const lines = (await sidecar.scrape()).split('\n').filter((line) => line.includes(`job="${job}"`));
  return lines.map((line) => line.replace(/\{.*\}/, ''));
}
