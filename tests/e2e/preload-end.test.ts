import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InstalledProject, type Ended, type RunOptions } from '../support/processes/installed-project.ts';
import { OtlpCapture } from '../support/otlp/otlp-capture.ts';
import { Sidecar } from '../support/processes/sidecar.ts';

const IMPORT = ['--import', 'siphon-otel/preload'];

/** The promised bound, and what a busy machine may add to it. */
const FLUSH_BOUND_MS = 500;
const SLACK_MS = 700;

const EXPORTS_OFTEN = { OTEL_BSP_SCHEDULE_DELAY: '50', OTEL_METRIC_EXPORT_INTERVAL: '100' };

let project: InstalledProject;
beforeAll(async () => {
  project = await InstalledProject.create();
});
afterAll(async () => {
  await project[Symbol.asyncDispose]();
});

/** Runs a script of one file, preloaded, with this OTLP endpoint. */
async function runScript(script: string, endpoint: string, options: RunOptions = {}): Promise<Ended> {
  const file = `script-${Math.random().toString(36).slice(2)}.mjs`;
  await project.write(file, script);
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...options.environment };
  return await project.run(file, { flags: IMPORT, ...options, environment });
}

/** The ids of the spans that a script made. Instrumentations add spans of their own. */
function jobsIn(capture: OtlpCapture): string[] {
  return capture.spans().flatMap(({ name, span_id: id }) => (name.startsWith('job') ? [id] : []));
}

/** Ends a service as most do. */
const CLOSING = `
  import { createServer } from 'node:http';
  const server = createServer();
  process.on('SIGTERM', () => server.close(() => process.exit(0)));
  server.listen(0, '127.0.0.1', () => console.log('ready'))`;

/** An address without a listener. */
async function refusingEndpoint(): Promise<string> {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return `http://127.0.0.1:${port}`;
}

describe('how a preloaded process ends', () => {
  const waiting = `setInterval(() => {}, 1000); console.log('ready');`;

  it.each(['SIGTERM', 'SIGINT'] as const)('is by %s as without the preload, after a flush', async (signal) => {
    await using capture = await OtlpCapture.start();
    const ended = await runScript(waiting, capture.url, { onLine: (_, kill) => kill(signal) });
    expect(ended).toMatchObject({ code: null, signal });
    expect(ended.endingMs).toBeLessThan(FLUSH_BOUND_MS + SLACK_MS);
    expect(capture.metrics().map(({ name }) => name)).toContain('memory.usage');
  });

  it('is the application’s decision when it listens to the signal, and buffered telemetry is flushed meanwhile', async () => {
    await using capture = await OtlpCapture.start();
    const script = `process.on('SIGTERM', () => setTimeout(() => process.exit(7), 300)); ${waiting}`;
    const ended = await runScript(script, capture.url, { onLine: (_, kill) => kill('SIGTERM') });
    expect(ended).toMatchObject({ code: 7, signal: null });
    expect(capture.metrics().map(({ name }) => name)).toContain('memory.usage');
  });

  it('is by the signal when only a library listens that ends the process as the last listener', async () => {
    const script = `
      process.on('SIGTERM', function listener() {
        if (process.listenerCount('SIGTERM') > 1) return;
        process.off('SIGTERM', listener);
        process.kill(process.pid, 'SIGTERM');
      }); ${waiting}`;
    const ended = await runScript(script, await refusingEndpoint(), { onLine: (_, kill) => kill('SIGTERM') });
    expect(ended).toMatchObject({ code: null, signal: 'SIGTERM' });
  });

  // Long enough for an export to fail and to wait for its retry, or to hang, when the work is done.
  const busy = `
    import { get } from 'node:http';
    get('http://127.0.0.1:9/').on('error', () => {});
    await new Promise((resolve) => setTimeout(resolve, 600));
    process.exitCode = 3;
    console.log('done');`;

  it('is immediate and has its exit code without a sidecar', async () => {
    const ended = await runScript(busy, await refusingEndpoint(), { environment: EXPORTS_OFTEN });
    expect(ended).toMatchObject({ code: 3, stderr: '' });
    expect(ended.endingMs).toBeLessThan(SLACK_MS);
  });

  it('is put off by no more than the bound when the endpoint accepts and never answers', async () => {
    await using blackHole = await OtlpCapture.start({ answers: false });
    const ended = await runScript(busy, blackHole.url, { environment: EXPORTS_OFTEN });
    expect(ended).toMatchObject({ code: 3, stderr: '' });
    expect(blackHole.requestCount).toBeGreaterThan(0);
    expect(ended.endingMs).toBeLessThan(FLUSH_BOUND_MS + SLACK_MS);

    const environment = { ...EXPORTS_OFTEN, SIPHON_FLUSH_TIMEOUT_MS: '0' };
    expect((await runScript(busy, blackHole.url, { environment })).endingMs).toBeLessThan(SLACK_MS);
  });

  it('leaves work alone that begins when the event loop was empty, and is observed to its end', async () => {
    await using capture = await OtlpCapture.start();
    const script = `
      import { get } from 'node:http';
      process.once('beforeExit', () => setTimeout(() => {
        get('http://127.0.0.1:9/').on('error', () => console.log('late'));
      }, 800));`;
    const ended = await runScript(script, capture.url);
    expect(ended).toMatchObject({ code: 0, lines: ['late'] });
    expect(capture.spans().map(({ name }) => name)).toEqual(['GET']);
  });

  /** Enough time on a slow machine. */
  const patient = { environment: { SIPHON_FLUSH_TIMEOUT_MS: '8000' } };

  /** Ends a hundred spans, and adds one to a counter. */
  const hundred = `
    import { metrics, trace } from '@opentelemetry/api';
    metrics.getMeter('app').createCounter('jobs').add(1);
    for (let i = 0; i < 100; i++) trace.getTracer('app').startSpan('job ' + i).end();`;

  it.each([
    ['process.exit', 'process.exit(4)', { code: 4, stderr: '' }],
    ['an uncaught error', "throw new Error('broken')", { code: 1, stderr: expect.stringContaining('broken') }],
    [
      'an uncaught rejection',
      "Promise.reject(new Error('refused'))",
      { code: 1, stderr: expect.stringContaining('refused') },
    ],
    [
      'an empty event loop, and beforeExit is seen once',
      "process.on('beforeExit', () => console.log('idle'))",
      { code: 0, lines: ['idle'] },
    ],
  ])('is by %s as without the preload, and nothing is lost', async (_, end, expected) => {
    await using capture = await OtlpCapture.start();
    const ended = await runScript(`${hundred}\n${end};`, capture.url, patient);
    expect(ended).toMatchObject({ signal: null, ...expected });
    expect(new Set(jobsIn(capture))).toHaveProperty('size', 100);
    expect(capture.metrics().map(({ name }) => name)).toContain('jobs');
  });

  it.each([
    ['OTEL_METRICS_EXPORTER', 'none', { spans: 100, counters: 0 }],
    ['OTEL_METRICS_EXPORTER', 'console', { spans: 100, counters: 0 }],
    ['OTEL_TRACES_EXPORTER', 'none', { spans: 0, counters: 1 }],
  ])('is by process.exit without a loss of the other signal when %s is %s', async (name, value, expected) => {
    await using capture = await OtlpCapture.start();
    const environment = { ...patient.environment, [name]: value };
    const ended = await runScript(`${hundred}\nprocess.exit(4);`, capture.url, { environment });
    expect(ended).toMatchObject({ code: 4, stderr: '' });
    const counters = new Set(capture.metrics().map((metric) => metric.name)).has('jobs') ? 1 : 0;
    expect({ spans: new Set(jobsIn(capture)).size, counters }).toEqual(expected);
  });

  it('is put off once when a service closes its server on SIGTERM and the endpoint never answers', async () => {
    await using blackHole = await OtlpCapture.start({ answers: false });
    const script = `${hundred}
      import { createServer } from 'node:http';
      const server = createServer();
      process.on('SIGTERM', () => server.close());
      server.listen(0, '127.0.0.1', () => console.log('ready'));`;
    const environment = { SIPHON_FLUSH_TIMEOUT_MS: '2000' };
    const ended = await runScript(script, blackHole.url, { environment, onLine: (_, kill) => kill('SIGTERM') });
    expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(blackHole.requestCount).toBeGreaterThan(0);
    expect(ended.endingMs).toBeLessThan(2000 + SLACK_MS);
  });

  it.each(['SIGHUP', 'SIGUSR2'] as const)('is by %s as without the preload, and nothing is lost', async (signal) => {
    await using capture = await OtlpCapture.start();
    const ended = await runScript(`${hundred}${waiting}`, capture.url, {
      ...patient,
      onLine: (_, kill) => kill(signal),
    });
    expect(ended).toMatchObject({ code: null, signal });
    expect(jobsIn(capture)).toHaveLength(100);
  });

  it('keeps everything when a listener of the signal exits immediately', async () => {
    await using capture = await OtlpCapture.start();
    const script = `${hundred} process.once('SIGTERM', () => process.exit(7)); ${waiting}`;
    const ended = await runScript(script, capture.url, { ...patient, onLine: (_, kill) => kill('SIGTERM') });
    expect(ended).toMatchObject({ code: 7, signal: null });
    expect(jobsIn(capture)).toHaveLength(100);
  });

  it('keeps the requests in flight when a service closes its server on SIGTERM and exits', async () => {
    await using capture = await OtlpCapture.start();
    const script = `
      import { createServer, get } from 'node:http';
      const server = createServer((_, response) => setTimeout(() => response.end(), 400).ref() && console.log('asked'));
      process.on('SIGTERM', () => server.close(() => process.exit(0)));
      server.listen(0, '127.0.0.1', () => get({ port: server.address().port, agent: false }, (response) => response.resume()));`;
    const ended = await runScript(script, capture.url, { ...patient, onLine: (_, kill) => kill('SIGTERM') });
    expect(ended).toMatchObject({ code: 0, signal: null });
    expect(capture.spans().map(({ kind }) => kind)).toContain('SPAN_KIND_SERVER');
  });

  it('is by process.exit within the bound when the endpoint accepts and never answers, and sooner without one', async () => {
    await using blackHole = await OtlpCapture.start({ answers: false });
    const script = `${hundred}; console.log('done'); process.exit(4);`;
    const hanging = await runScript(script, blackHole.url);
    expect(hanging).toMatchObject({ code: 4, stderr: '' });
    expect(hanging.endingMs).toBeLessThan(FLUSH_BOUND_MS + SLACK_MS);
    const refused = await runScript(script, await refusingEndpoint());
    expect(refused).toMatchObject({ code: 4, stderr: '' });
    expect(refused.endingMs).toBeLessThan(FLUSH_BOUND_MS + SLACK_MS);
  });

  it.each([
    ['process.exit', 'process.exit(4)', 4, null],
    ['an empty event loop', '', 0, null],
    ['SIGTERM without a listener', waiting, null, 'SIGTERM'],
    ['SIGTERM and server.close', CLOSING, 0, null],
  ])('by %s leaves everything to a sidecar that starts later when nothing listens', async (_, end, code, signal) => {
    const endpoint = await refusingEndpoint();
    const ended = await runScript(`${hundred}\n${end};`, endpoint, {
      ...patient,
      onLine: (__, kill) => kill('SIGTERM'),
    });
    expect(ended).toMatchObject({ code, signal, stderr: '' });
    await using sidecar = await Sidecar.start({
      sets: [`receivers.otlp.protocols.http.endpoint=${new URL(endpoint).host}`],
      environment: { TMPDIR: project.folder },
    });
    await sidecar.waitForLog('Accepted the files that services left');
    const own = await sidecar.selfMetrics();
    expect(own).toMatch(/^otelcol_receiver_accepted_spans\{receiver="otlp",transport="http".*\} 100$/m);
    expect(own).toMatch(/^siphon_receiver_spool_files\{.*outcome="lost".*\} 0$/m);
    expect(await sidecar.scrape()).toMatch(/^jobs_total\{.*\} 1$/m);
  });

  it('keeps what a slow endpoint has not answered yet', async () => {
    await using capture = await OtlpCapture.start({ answersAfterMs: 3000 });
    const script = `
      import { trace } from '@opentelemetry/api';
      for (let round = 0; round < 14; round++) {
        for (let i = 0; i < 512; i++) trace.getTracer('app').startSpan('job').end();
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      process.exit(0);`;
    await runScript(script, capture.url, patient);
    await expect.poll(() => new Set(jobsIn(capture)).size).toBe(14 * 512);
  });
});
