/**
 * `npm run bench:console [minutes] [routes]`: what the console costs the built sidecar with its default configuration, with 5,000
 * series, 100,000 spans and 50,000 log lines. The history records for some minutes before the memory is read; by default
 * for 2. An hour of 5,000 series takes 11.8 MiB (`npm run bench:history`).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { dashboardModels, type DashboardModel } from '../../src/dashboards/model/dashboard-model.ts';
import { concrete, stepsFor } from '../../src/console/expression.ts';
import { PrometheusSource } from '../../src/console/prometheus-source.ts';
import {
  encodeMetricsRequest,
  type HistogramPoint,
  type MetricData,
  type MetricsRequest,
} from '../../src/engine/otlp/metrics-writer.ts';
import { packs } from '../../src/packs/index.ts';
import { loadPacks } from '../../src/packs/load.ts';
import { batchOfLogs } from '../support/otlp/otlp-logs.ts';
import { batchOfSpans, spanId, type SpanDraft } from '../support/otlp/otlp-spans.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { median } from './median.ts';
import { payloads } from './payload.ts';
import { cpuMicroseconds, residentMebibytes } from './process-usage.ts';

const BUDGET = {
  residentMib: 140,
  demoPercent: 1,
  panelMs: 50,
  traceMs: 20,
  changesMs: 100,
  pageMs: 500,
  pageKb: 150,
  tabsPercent: 5,
};
const SPANS = 100_000;
const LOGS = 50_000;
const SPANS_A_TRACE = 10;
const ITEMS_A_REQUEST = 500;
/** Each has 14 series: 12 buckets, sum and count. */
const ROUTES = Number(process.argv[3] ?? 20);
const SUMS = 5000 - ROUTES * 14;
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const ASKED = 21;
const TABS = 10;
const ROUND_S = 60;
const ROUNDS = 3;
const SCRAPE_S = 5;

const minutes = Number(process.argv[2] ?? 2);
const startMs = Date.now() - 15 * 60_000;
const sums = payloads({ kind: 'sum', series: SUMS, pointsPerRequest: SUMS });
let passes = 0;

await using sidecar = await Sidecar.start();
const pid = sidecar.process.pid as number;
const consoleUrl = sidecar.url({ id: 'console' });
const source = new PrometheusSource(consoleUrl);
const dashboard = await serviceDashboard();

await fillStore();
for (const end = Date.now() + minutes * 60_000; Date.now() < end; await sleep(1000)) await sendMetrics();
const demoPercent = await demoLoad(30);
report('resident memory, MiB', residentMebibytes(pid), BUDGET.residentMib);
report('CPU under the load of a small service, % of a core', demoPercent, BUDGET.demoPercent);
const measured = await panelTimes();
report(`panel, median of ${measured.length}, ms`, median(measured.map(({ ms }) => ms)), BUDGET.panelMs);
report('slowest panel, ms', measured[0]?.ms ?? NaN, BUDGET.panelMs);
process.stdout.write(`  ${measured[0]?.expression}\n`);
report('trace, ms', await medianOf('/api/traces/' + traceId(4321)), BUDGET.traceMs);
report('what changed, ms', await medianOf('/api/compare?between=2m,1m'), BUDGET.changesMs);
report('what changed in slow traces, ms', await medianOf('/api/compare?min_duration=40ms'), BUDGET.changesMs);
await reportPage();
await reportTabs();

async function serviceDashboard(): Promise<DashboardModel> {
  const { dashboards } = await loadPacks(packs);
  const found = dashboardModels(dashboards).find(({ uid }) => uid.includes('service'));
  if (found === undefined) throw new Error('no pack has the dashboard of a service');
  return found;
}

async function fillStore(): Promise<void> {
  for (let first = 0; first < SPANS; first += ITEMS_A_REQUEST) {
    await send('traces', batchOfSpans(items(first, span)).chunks);
  }
  for (let first = 0; first < LOGS; first += ITEMS_A_REQUEST) {
    await send(
      'logs',
      batchOfLogs(items(first, (number) => ({ body: `order ${number} is paid`, severity: 9 }))).chunks,
    );
  }
}

/** Sends all metrics every 15 s, and a trace each second. @returns % of a core. */
async function demoLoad(seconds: number): Promise<number> {
  const before = cpuMicroseconds(pid);
  const beganMs = performance.now();
  for (let second = 0; second < seconds; second++) {
    if (second % 15 === 0) await sendMetrics();
    await send('traces', batchOfSpans(items(SPANS + second * SPANS_A_TRACE, span, SPANS_A_TRACE)).chunks);
    await sleep(1000);
  }
  return (cpuMicroseconds(pid) - before) / 10 / (performance.now() - beganMs);
}

interface PanelTime {
  readonly expression: string;
  readonly ms: number;
}

async function panelTimes(): Promise<readonly PanelTime[]> {
  const times: PanelTime[] = [];
  for (const expression of expressions()) {
    const durationsMs = [];
    for (let i = 0; i < ASKED / 3; i++) durationsMs.push(await timed(async () => await ask(expression)));
    times.push({ expression, ms: median(durationsMs) });
  }
  return times.toSorted((a, b) => b.ms - a.ms);
}

function expressions(): readonly string[] {
  return dashboard.rows.flatMap(({ panels }) =>
    panels.flatMap((panel) => ('queries' in panel ? panel.queries.map(({ expression }) => expression) : [])),
  );
}

async function ask(expression: string): Promise<void> {
  const steps = stepsFor({ lengthS: 900, nowS: Date.now() / 1000 }, { points: 180, leastS: SCRAPE_S });
  const choices = Object.fromEntries(dashboard.variables.map(({ name }) => [name, undefined]));
  await source.over(concrete(expression, { choices, steps, scrapeS: SCRAPE_S }), steps);
}

async function reportPage(): Promise<void> {
  let bytes = 0;
  const ms = await timed(async () => {
    for (const path of ['/', '/console.css', '/console.js', '/settings.json']) {
      const headers = { accept: 'text/html,*/*', 'accept-encoding': 'gzip' };
      const answer = await fetch(consoleUrl + path, { headers });
      await answer.arrayBuffer();
      bytes += Number(answer.headers.get('content-length'));
    }
  });
  report('first page, ms', ms, BUDGET.pageMs);
  report('first page, KB with gzip', bytes / 1000, BUDGET.pageKb);
}

/** Rounds with and without tabs take turns. */
async function reportTabs(): Promise<void> {
  const shares: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const alone = await cpuAPoint();
    const stop = new AbortController();
    const tabs = Array.from({ length: TABS }, (_, index) => poll(index, stop.signal));
    const watched = await cpuAPoint();
    stop.abort();
    await Promise.all(tabs);
    shares.push((watched / alone - 1) * 100);
  }
  report(`CPU per point with ${TABS} tabs, % more`, median(shares), BUDGET.tabsPercent);
}

/** The dashboard as the page polls it: everything together, each minute. */
async function poll(index: number, signal: AbortSignal): Promise<void> {
  const pause = async (ms: number): Promise<void> => await sleep(ms, undefined, { signal }).catch(() => undefined);
  await pause((index * ROUND_S * 1000) / TABS);
  while (!signal.aborted) {
    await Promise.all(expressions().map(ask));
    await pause(ROUND_S * 1000);
  }
}

/** Sends as many points as the sidecar takes. @returns µs. */
async function cpuAPoint(): Promise<number> {
  const before = cpuMicroseconds(pid);
  const firstPass = passes;
  for (const end = Date.now() + ROUND_S * 1000; Date.now() < end;) await sendSums();
  return (cpuMicroseconds(pid) - before) / ((passes - firstPass) * SUMS);
}

async function sendMetrics(): Promise<void> {
  await sendSums();
  await send('metrics', [encodeMetricsRequest(durations())]);
}

async function sendSums(): Promise<void> {
  passes++;
  for (const payload of sums) {
    payload.stamp(passes);
    await send('metrics', [payload.body]);
  }
}

function durations(): MetricsRequest {
  const points: HistogramPoint[] = Array.from({ length: ROUTES }, (_, index) => ({
    attributes: { 'http.request.method': 'GET', 'http.route': `/orders/${index}`, 'http.response.status_code': '200' },
    value: { count: 12 * passes, sum: 3 * passes, bucketCounts: Array.from({ length: 12 }, () => passes) },
  }));
  const metric: MetricData = {
    kind: 'histogram',
    name: 'http.server.request.duration',
    unit: 's',
    description: '',
    bounds: BOUNDS,
    points,
  };
  const resource = { 'service.name': 'shop', 'service.instance.id': 'a' };
  return { resource, scope: { name: 'bench', version: '1' }, timeUnixMs: Date.now(), metrics: [metric] };
}

/** A tenth of the traces of the last minute but one are slow. */
function span(number: number): SpanDraft {
  const isRoot = number % SPANS_A_TRACE === 0;
  const trace = Math.floor(number / SPANS_A_TRACE);
  const atMs = startMs + (trace * 15 * 60_000) / (SPANS / SPANS_A_TRACE);
  const isSlow = isRoot && trace % 10 === 0 && atMs > Date.now() - 3 * 60_000;
  return {
    traceId: traceId(trace),
    spanId: spanId(number + 1),
    ...(!isRoot && { parentSpanId: spanId(trace * SPANS_A_TRACE + 1) }),
    name: isRoot ? `GET /orders/${trace % 7}` : 'SELECT orders',
    kind: isRoot ? 'server' : 'client',
    startTimeUnixNano: BigInt(Math.round(atMs)) * 1_000_000n,
    durationNano: BigInt(isSlow ? 900_000_000 : (number * 7919) % 50_000_000),
    attributes: {
      'http.request.method': 'GET',
      'http.route': `/orders/${trace % 7}`,
      'server.address': isSlow ? 'store.example' : `shop${trace % 20}.example`,
      'url.full': `https://shop.example/products/${number % 100}`,
    },
  };
}

function traceId(number: number): string {
  return (number + 1).toString(16).padStart(32, '0');
}

function items<T>(first: number, item: (number: number) => T, count = ITEMS_A_REQUEST): T[] {
  return Array.from({ length: count }, (_, i) => item(first + i));
}

async function medianOf(path: string): Promise<number> {
  const durationsMs: number[] = [];
  for (let i = 0; i < ASKED; i++) {
    durationsMs.push(
      await timed(async () => {
        const answer = await fetch(consoleUrl + path);
        if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
        await answer.text();
      }),
    );
  }
  return median(durationsMs);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const beganMs = performance.now();
  await work();
  return performance.now() - beganMs;
}

async function send(signal: 'metrics' | 'traces' | 'logs', chunks: readonly Uint8Array[]): Promise<void> {
  const headers = { 'content-type': 'application/x-protobuf' };
  const body = Buffer.concat(chunks);
  const answer = await fetch(`${sidecar.otlpHttp}/v1/${signal}`, { method: 'POST', headers, body });
  if (!answer.ok) throw new Error(`${signal}: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}

function report(what: string, value: number, budget: number): void {
  const isOver = !(value <= budget);
  if (isOver) process.exitCode = 1;
  process.stdout.write(`${what}: ${value.toFixed(2)}, at most ${budget}${isOver ? ' (over)' : ''}\n`);
}
