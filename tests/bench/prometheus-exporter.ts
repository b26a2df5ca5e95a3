/**
 * Measures the prometheus exporter in this process, without a network: CPU per point, time and size of a scrape,
 * the longest delay of the event loop during scrapes, and memory.
 *
 *     node --expose-gc tests/bench/prometheus-exporter.ts [series] [histogram]
 */
import { get } from 'node:http';
import { hostWith } from '../support/components/host-with.ts';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import pino from 'pino';
import * as v from 'valibot';
import type { TelemetryBatch } from '../../src/engine/component.ts';
import { ComponentLedger } from '../../src/engine/account.ts';
import { writeKeyValue } from '../../src/engine/otlp/any-value.ts';
import { WireWriter } from '../../src/engine/otlp/wire-writer.ts';
import { prometheusExporterConfig } from '../../src/components/exporters/prometheus/config.ts';
import { prometheusExporter } from '../../src/components/exporters/prometheus/factory.ts';
import { toBatch } from '../support/components/batches.ts';
import { noMetrics } from '../support/components/no-metrics.ts';

const POINTS_A_REQUEST = 1000;
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const seriesCount = Number(process.argv[2] ?? 10_000);
const kind = process.argv[3] === 'histogram' ? 'histogram' : 'sum';

let endpoint = '';
const logger = pino({}, { write: (line: string) => (endpoint ||= String(JSON.parse(line).endpoint)) });
const exporter = prometheusExporter.create(
  {
    id: 'prometheus',
    signals: new Set(['metrics' as const]),
    logger,
    metrics: noMetrics,
    ledger: new ComponentLedger(),
    version: '0',
  },
  v.parse(prometheusExporterConfig, { endpoint: '127.0.0.1:0', max_series: 2_000_000 }),
);
await exporter.start(hostWith());

let round = 1;
for (let first = 0; first < seriesCount; first += POINTS_A_REQUEST) await exporter.consume(request(first));
const times: number[] = [];
for (round = 2; round <= Math.max(12, 1_000_000 / seriesCount); round++) {
  let rest = 0;
  for (let first = 0; first < seriesCount; first += POINTS_A_REQUEST) {
    const batch = request(first);
    const before = process.cpuUsage();
    await exporter.consume(batch);
    const { user, system } = process.cpuUsage(before);
    rest += user + system;
  }
  times.push(rest / seriesCount);
}
print('consume, µs CPU/point', median(times));

const delay = monitorEventLoopDelay({ resolution: 1 });
for (const encoding of ['identity', 'gzip']) {
  const scrapes: number[] = [];
  let bytes = 0;
  for (let i = 0; i < 15; i++) {
    delay.enable();
    const start = performance.now();
    bytes = await scrape(encoding);
    scrapes.push(performance.now() - start);
    delay.disable();
  }
  print(`scrape ${encoding}, ms`, median(scrapes));
  print(`scrape ${encoding}, first, ms`, scrapes[0] as number);
  print(`scrape ${encoding}, MB`, bytes / 1e6);
}
print('longest event loop delay, ms', delay.max / 1e6);
globalThis.gc?.();
print('resident memory, MiB', process.memoryUsage().rss / 1024 ** 2);
await exporter.shutdown(AbortSignal.timeout(1000));

function request(first: number): TelemetryBatch {
  const writer = new WireWriter();
  writer.messageField(1, () => {
    writer.messageField(1, () => {
      writeKeyValue(writer, 1, 'service.name', 'bench');
      writeKeyValue(writer, 1, 'service.instance.id', 'bench-1');
    });
    writer.messageField(2, () => {
      writer.messageField(1, () => writer.stringField(1, 'bench'));
      writer.messageField(2, () => metric(writer, first));
    });
  });
  return toBatch('metrics', writer.finish(), POINTS_A_REQUEST);
}

function metric(writer: WireWriter, first: number): void {
  writer.stringField(1, 'http.server.requests');
  writer.messageField(kind === 'sum' ? 7 : 9, () => {
    for (let i = first; i < Math.min(first + POINTS_A_REQUEST, seriesCount); i++) {
      writer.messageField(1, () => (kind === 'sum' ? sumPoint(writer, i) : histogramPoint(writer, i)));
    }
    writer.varintField(2, 2);
    writer.boolField(3, true);
  });
}

function sumPoint(writer: WireWriter, series: number): void {
  attributes(writer, 7, series);
  writer.fixed64Field(2, 1_700_000_000_000_000_000n);
  writer.fixed64Field(3, 1_700_000_000_000_000_000n + BigInt(round));
  writer.doubleField(4, series * 7 + round);
}

function histogramPoint(writer: WireWriter, series: number): void {
  attributes(writer, 9, series);
  writer.fixed64Field(2, 1_700_000_000_000_000_000n);
  writer.fixed64Field(3, 1_700_000_000_000_000_000n + BigInt(round));
  writer.fixed64Field(4, BigInt((BOUNDS.length + 1) * (series + round)));
  writer.doubleField(5, series * 0.7 + round);
  const counts = new BigUint64Array(BOUNDS.length + 1).fill(BigInt(series + round));
  writer.bytesField(6, new Uint8Array(counts.buffer));
  writer.bytesField(7, new Uint8Array(new Float64Array(BOUNDS).buffer));
}

function attributes(writer: WireWriter, field: number, series: number): void {
  writeKeyValue(writer, field, 'http.method', series % 2 === 0 ? 'GET' : 'POST');
  writeKeyValue(writer, field, 'http.route', `/api/v1/resource/${series}`);
  writeKeyValue(writer, field, 'http.status_code', '200');
  writeKeyValue(writer, field, 'region', 'eu-west-1');
}

function scrape(encoding: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(`http://${endpoint}/metrics`, { agent: false, headers: { 'accept-encoding': encoding } }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => (bytes += chunk.length));
      response.on('end', () => resolve(bytes));
    }).on('error', reject);
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}

function print(what: string, value: number): void {
  process.stdout.write(`${what.padEnd(40)} ${value.toFixed(3)}\n`);
}
