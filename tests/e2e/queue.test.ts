import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { freePorts } from '../support/network/free-ports.ts';
import { CountingBackend } from '../support/otlp/counting-backend.ts';
import { batchOfSpans, spanId } from '../support/otlp/otlp-spans.ts';
import { wrongAccounts } from '../support/processes/ledger.ts';
import { Sidecar, type SidecarOptions } from '../support/processes/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';

/** `npm run simulate:queue` sets 1000. */
const KILLS = Number(process.env['SIPHON_KILLS'] ?? 5);
const SPANS_PER_REQUEST = 100;
/** 10,000 spans a second. */
const REQUESTS_PER_SECOND = 100;
const CONSUMERS = 10;

const folder = mkdtempSync(join(tmpdir(), 'siphon-queue-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function queueing(backend: string, { maxMib = 1024 } = {}) {
  const [otlp, self] = await freePorts(2);
  const config = join(folder, `${otlp}.yaml`);
  writeFileSync(
    config,
    `receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:${otlp}"}}}
exporters:
  otlp_http:
    endpoint: "${backend}"
    compression: none
    sending_queue: {storage: file_storage, sizer: bytes, queue_size: 2000000000, num_consumers: ${CONSUMERS}}
    retry_on_failure: {initial_interval: 50ms, max_interval: 200ms, max_elapsed_time: 1s}
extensions:
  file_storage: {directory: "${join(folder, String(otlp))}", create_directory: true, max_size_mib: ${maxMib}}
service:
  extensions: [file_storage]
  pipelines:
    traces: {receivers: [otlp], exporters: [otlp_http]}
  telemetry:
    logs: {encoding: json}
    metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${self}}}}}]}
`,
  );
  return {
    otlp: `http://127.0.0.1:${otlp}`,
    directory: join(folder, String(otlp)),
    start: async (within?: SidecarOptions['within']) =>
      await Sidecar.start({ configs: [config], freePorts: false, ...(within && { within }) }),
    self: async () => await (await fetch(`http://127.0.0.1:${self}/metrics`)).text(),
  };
}

function requestOf(number: number, spans = SPANS_PER_REQUEST): Uint8Array {
  const name = nameOf(number);
  return batchOfSpans(Array.from({ length: spans }, (_, index) => ({ spanId: spanId(index + 1), name }))).chunks[0]!;
}

function nameOf(number: number): string {
  return `request-${String(number).padStart(8, '0')}`;
}

function numberIn(body: Uint8Array): number {
  return Number(/request-(\d{8})/.exec(Buffer.from(body).toString('latin1'))?.[1]);
}

const agent = new Agent({ keepAlive: true });

/** The status, or undefined if no answer came. */
async function post(url: string, body: Uint8Array): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  request(
    `${url}/v1/traces`,
    { method: 'POST', agent, headers: { 'content-type': 'application/x-protobuf' } },
    (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode));
      answer.once('error', () => resolve(undefined));
    },
  )
    .once('error', () => resolve(undefined))
    .end(body);
  return await promise;
}

it(
  `loses no accepted item in ${KILLS} kills under 10,000 spans/s with a backend that comes and goes`,
  async () => {
    await using backend = await CountingBackend.start();
    const delivered = new Map<number, number>();
    backend.onRequest = (body) => {
      const number = numberIn(body);
      delivered.set(number, (delivered.get(number) ?? 0) + 1);
    };
    const { otlp, start, self } = await queueing(backend.url);
    const accepted = new Set<number>();
    const ended = new AbortController();
    const sending = (async () => {
      const startedAt = performance.now();
      for (let number = 0; !ended.signal.aborted; number++) {
        void post(otlp, requestOf(number)).then((status) => (status === 200 ? accepted.add(number) : undefined));
        await sleep(Math.max(0, startedAt + (number * 1000) / REQUESTS_PER_SECOND - performance.now()));
      }
    })();
    for (let kill = 0; kill < KILLS; kill++) {
      await using sidecar = await start();
      await sleep(Math.random() * 500);
      backend.isAway = Math.random() < 0.5;
      await sleep(Math.random() * 500);
      await sidecar.stop('SIGKILL');
    }
    ended.abort();
    await sending;
    backend.isAway = false;
    await using last = await start();
    const waiting = async (): Promise<string | undefined> =>
      /^siphon_ledger_waiting_items\{account="exporters::otlp_http",.*\} (\d+)$/m.exec(await self())?.[1];
    await waitFor(async () => (await waiting()) === '0', { what: 'the queue to be empty', timeoutMs: 60_000 });
    const page = await self();
    expect(page).toMatch(/^siphon_ledger_difference_items\{account="exporters::otlp_http",.*\} 0$/m);
    expect(page).not.toMatch(/^siphon_ledger_dropped_items/m);
    expect(await last.stop()).toBe(0);
    const lost = [...accepted].filter((number) => !delivered.has(number));
    const duplicates = [...delivered.values()].reduce((sum, times) => sum + times - 1, 0);
    process.stdout.write(
      `${KILLS} kills, ${accepted.size * SPANS_PER_REQUEST} spans accepted, ${lost.length} requests lost, ${duplicates} duplicates\n`,
    );
    expect(lost).toEqual([]);
    expect(accepted.size).toBeGreaterThan(KILLS * 10);
    expect(duplicates).toBeLessThanOrEqual(KILLS * CONSUMERS);
  },
  120_000 + KILLS * 10_000,
);

it('keeps what it could not send, and sends it after a restart, although retries would have run out', async () => {
  await using backend = await CountingBackend.start();
  backend.isAway = true;
  const { otlp, start, self } = await queueing(backend.url);
  const first = await start();
  for (let number = 0; number < 20; number++) expect(await post(otlp, requestOf(number))).toBe(200);
  // Longer than max_elapsed_time.
  await sleep(2000);
  expect(await self()).toMatch(/^siphon_ledger_waiting_items\{account="exporters::otlp_http",.*\} 2000$/m);
  expect(await first.stop()).toBe(0);
  expect(first.logs.at(-1)).toMatchObject({ msg: 'Shutdown is complete', lost: [] });
  backend.isAway = false;
  await using second = await start();
  await second.waitForLog('The sending queue contains items from before the start');
  await expect.poll(() => backend.spans, { timeout: 10_000 }).toBe(2000);
});

it('refuses batches on a full disk, loses none that it accepted, and accepts again when there is room', async (context) => {
  await using backend = await CountingBackend.start();
  backend.isAway = true;
  const { otlp, start, directory, self } = await queueing(backend.url);
  const within = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c'] as const;
  const mount = `mkdir -p '${directory}'; mount -t tmpfs -o size=2m none '${directory}'; exec "$@"`;
  if (spawnSync(within[0], [...within.slice(1), mount, 'sh', 'true']).status !== 0) {
    return context.skip('this system lets us mount no small disk');
  }
  await using sidecar = await start([...within, mount, 'sh']);
  const body = requestOf(1, 1000);
  let accepted = 0;
  // Some of them together.
  for (let round = 0; round < 10; round++) {
    for (const status of await Promise.all(Array.from({ length: 10 }, async () => await post(otlp, body)))) {
      expect([200, 503]).toContain(status);
      if (status === 200) accepted += 1000;
    }
  }
  expect(accepted).toBeGreaterThan(5000);
  expect(accepted).toBeLessThan(50_000);
  await sidecar.waitForLog('The sending queue on disk cannot be used');
  backend.isAway = false;
  await waitFor(() => backend.spans >= accepted, { what: 'the queue to be sent' });
  await waitFor(async () => (await post(otlp, body)) === 200, { what: 'room' });
  await waitFor(() => backend.spans === accepted + 1000, { what: 'the batch after it' });
  const page = await self();
  expect(page).toMatch(/^siphon_ledger_accepted_items\{account="exporters::otlp_http",.*\} [1-9]/m);
  expect(wrongAccounts(page)).toEqual([]);
});

it('holds 1 GiB on disk in at most 64 MiB more memory', { timeout: 300_000 }, async () => {
  const mebibytes = Number(process.env['SIPHON_QUEUE_MIB'] ?? 128);
  await using backend = await CountingBackend.start();
  const { otlp, start } = await queueing(backend.url, { maxMib: mebibytes + 64 });
  await using sidecar = await start();
  const body = requestOf(1, 3000);
  // The memory of the same traffic without a queue.
  for (let number = 0; number < 300; number++) await post(otlp, body);
  await waitFor(() => backend.requests === 300, { what: 'the backend to receive everything' });
  backend.isAway = true;
  const before = residentMib(sidecar.process.pid);
  const requests = Math.ceil((mebibytes * 1024 * 1024) / body.length);
  let refused = 0;
  for (let number = 0; number < requests; number++) refused += (await post(otlp, body)) === 200 ? 0 : 1;
  const peak = residentMib(sidecar.process.pid, 'VmHWM');
  await sleep(2000);
  const after = residentMib(sidecar.process.pid);
  process.stdout.write(
    `${mebibytes} MiB on disk: ${before.toFixed(0)} MiB resident before, ${after.toFixed(0)} after, ${peak.toFixed(0)} at the peak\n`,
  );
  expect(refused).toBe(0);
  expect(after - before).toBeLessThan(64);
});

function residentMib(pid = 0, field = 'VmRSS'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
}
