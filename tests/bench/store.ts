/**
 * `npm run bench:store`: what the `telemetry_store` needs for 100,000 spans with 16 attributes and 50,000 log lines. It runs
 * in one process. The processor time is that of the main thread, without the making of requests.
 */
import * as v from 'valibot';
import { telemetryStoreConfig } from '../../src/components/exporters/telemetry-store/config.ts';
import { telemetryStoreExporter } from '../../src/components/exporters/telemetry-store/factory.ts';
import type { Consumer, TelemetryBatch } from '../../src/engine/component.ts';
import { componentSettings } from '../support/components/component-settings.ts';
import { hostWith } from '../support/components/host-with.ts';
import { batchOfLogs } from '../support/otlp/otlp-logs.ts';
import { batchOfSpans, type SpanDraft } from '../support/otlp/otlp-spans.ts';
import { median } from './median.ts';

const SPANS = 100_000;
const LOGS = 50_000;
const ITEMS_A_REQUEST = 500;
const SPANS_A_TRACE = 10;
const MIB = 1024 * 1024;
const LIMITS = { smallSpanUs: 1, spanUs: 3, mebibytes: 48, searchMs: 200 };
const SEARCHES = 21;

const smallSpanUs = await costOf(SPANS, (first) => batchOfSpans(items(first, smallSpan)), newStore().store);
const { store, lines, page } = newStore();
await store.start(hostWith());

const spanUs = await costOf(SPANS, (first) => batchOfSpans(items(first, span)), store);
const logUs = await costOf(LOGS, (first) => batchOfLogs(items(first, line)), store);
const mebibytes = Number(/siphon_store_size_bytes\{.*\} (\d+)/.exec(await page())?.[1]) / MIB;
print(
  `${smallSpanUs.toFixed(2)} µs of processor time a span with 4 attributes, ${spanUs.toFixed(2)} µs with 16, ${logUs.toFixed(2)} µs a log record`,
);
print(`${mebibytes.toFixed(1)} MiB for ${SPANS} spans with 16 attributes and ${LOGS} log records`);

let isAboveLimit = smallSpanUs > LIMITS.smallSpanUs || spanUs > LIMITS.spanUs || mebibytes > LIMITS.mebibytes;
const url = `http://${String(lines.find(({ msg }) => msg === 'Listening')?.['endpoint'])}`;
for (const query of [
  `/api/traces/${traceId(4321)}`,
  '/api/traces?min_duration=40ms',
  '/api/traces?status=error&attribute=http.route=/orders/3',
  '/api/logs?text=shop 77 ',
  '/api/compare?min_duration=40ms',
]) {
  const durationsMs: number[] = [];
  for (let i = 0; i < SEARCHES; i++) {
    const startMs = performance.now();
    await (await fetch(url + query)).text();
    durationsMs.push(performance.now() - startMs);
  }
  isAboveLimit ||= median(durationsMs) > LIMITS.searchMs;
  print(`${median(durationsMs).toFixed(1)} ms for ${query}`);
}
await store.shutdown(AbortSignal.timeout(1000));
if (isAboveLimit) print(`The limits are ${JSON.stringify(LIMITS)}.`);
process.exitCode = isAboveLimit ? 1 : 0;

/** The median of rounds, because the first ones run code that is not optimised yet. @returns µs of processor time an item. */
async function costOf(count: number, batch: (first: number) => TelemetryBatch, into: Consumer): Promise<number> {
  const roundsUs: number[] = [];
  const round = count / 20;
  for (let first = 0; first < count; first += round) {
    const batches = Array.from({ length: round / ITEMS_A_REQUEST }, (_, i) => batch(first + i * ITEMS_A_REQUEST));
    const before = process.threadCpuUsage();
    for (const one of batches) await into.consume(one);
    const { user, system } = process.threadCpuUsage(before);
    roundsUs.push((user + system) / round);
  }
  return median(roundsUs);
}

function items<T>(first: number, item: (number: number) => T): T[] {
  return Array.from({ length: ITEMS_A_REQUEST }, (_, i) => item(first + i));
}

/** The attributes are those of the instrumentations of HTTP and PostgreSQL. One value of each span is its own. */
function span(number: number): SpanDraft {
  const isRoot = number % SPANS_A_TRACE === 0;
  const route = `/orders/${number % 7}`;
  return {
    traceId: traceId(Math.floor(number / SPANS_A_TRACE)),
    spanId: (number + 1).toString(16).padStart(16, '0'),
    ...(!isRoot && { parentSpanId: (number - (number % SPANS_A_TRACE) + 1).toString(16).padStart(16, '0') }),
    name: isRoot ? `GET ${route}` : 'SELECT orders',
    kind: isRoot ? 'server' : 'client',
    durationNano: BigInt((number * 7919) % 50_000_000),
    ...(number % 200 === 0 && { statusMessage: 'failed' }),
    attributes: {
      'http.request.method': 'GET',
      'http.route': route,
      'http.response.status_code': number % 200 === 0 ? 500 : 200,
      'url.scheme': 'https',
      'url.path': route,
      'server.address': `shop${number % 20}.example.com`,
      'server.port': 443,
      'network.protocol.version': '1.1',
      'user_agent.original': 'Mozilla/5.0 (X11; Linux x86_64) coffee/1.0',
      'db.system.name': 'postgresql',
      'db.namespace': 'coffee',
      'db.operation.name': 'SELECT',
      'db.query.text': 'SELECT id, price FROM orders WHERE shop = $1 AND id = $2',
      'thread.id': 1,
      'thread.name': 'main',
      'app.order': `order-${number}`,
    },
  };
}

/** The attributes are those of `npm run bench`. */
function smallSpan(number: number): SpanDraft {
  const { traceId: id, spanId, parentSpanId } = span(number);
  return {
    traceId: id as string,
    spanId,
    ...(parentSpanId !== undefined && { parentSpanId }),
    name: 'GET /products/:id',
    attributes: {
      'http.request.method': 'GET',
      'http.route': '/products/:id',
      'server.address': 'shop.example',
      'url.full': `https://shop.example/products/${number % 100}`,
    },
  };
}

function newStore() {
  const { settings, lines: logged, page: metrics } = componentSettings('exporter', 'telemetry_store');
  const config = v.parse(telemetryStoreConfig, { endpoint: '127.0.0.1:0', max_size_mib: 256 });
  return { store: telemetryStoreExporter.create(settings, config), lines: logged, page: metrics };
}

function line(number: number) {
  return {
    body: `order ${number} of shop ${number % 500} is taken`,
    traceId: traceId(Math.floor((number * 2) / SPANS_A_TRACE)),
    spanId: (number * 2 + 1).toString(16).padStart(16, '0'),
    attributes: { pid: 12, hostname: 'coffee-1', module: `orders/${number % 20}`, ms: number % 1000 },
  };
}

/** Ids of traces are random numbers: their bytes differ from the first one on. */
function traceId(number: number): string {
  return (
    Math.imul(number + 1, 0x9e3779b1)
      .toString(16)
      .replace('-', '')
      .padStart(8, '0') + number.toString(16).padStart(24, '0')
  );
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
