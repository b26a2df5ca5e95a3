/**
 * Sends one hostile request of 20 MiB, compressed to a few kilobytes, to a program that has just started, and prints the
 * answer, the longest wait of a scrape meanwhile, and the peak of the memory. Each request has a process of its own.
 *
 *     npm run build && node tests/bench/hostile-requests.ts [path of another main.js, or -] [part of a name]
 *
 * With `SIPHON_STOCK_COLLECTOR`, the stock Collector is measured in the same run.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { freePorts } from '../support/network/free-ports.ts';
import {
  builtSiphon,
  CollectorProcess,
  stockCollector,
  type CollectorProgram,
} from '../support/processes/collector-process.ts';
import { rawShapes, type RawShape } from '../support/shapes/raw-shapes.ts';
import { parseShape, shapedBody } from '../support/shapes/request-shape.ts';
import { peakMebibytes } from './process-usage.ts';

const BODY_BYTES = 19.9 * 1024 * 1024;
const PROBE_INTERVAL_MS = 5;
const MAX_ANSWER_MS = 60_000;

/** Each with its name in the table. */
const requests: Readonly<Record<string, RawShape>> = {
  'JSON `[[[[…`': rawShapes['brackets']!,
  'JSON `{"a":[[],[],…]}`': rawShapes['empty arrays in an unknown field']!,
  'JSON `"metrics":[{},{},…]`': shape('metrics json empty resource_metrics.scope_metrics.metrics*'),
  'JSON, a text of escapes': rawShapes['a known text with unicode escapes']!,
  '10 M empty spans': shape('traces protobuf empty resource_spans.scope_spans.spans*'),
  '10 M empty span events': shape('traces protobuf empty resource_spans.scope_spans.spans.events*'),
  '10 M empty scopes and a point': shape('metrics protobuf empty resource_metrics.scope_metrics*'),
  '10 M empty resources and a point': shape('metrics protobuf empty resource_metrics*'),
  'different resource attributes': smaller(shape('metrics protobuf filled resource_metrics.resource.attributes*')),
};

function shape(text: string): RawShape {
  const parsed = parseShape(text);
  return { ...parsed, body: (sizeBytes) => shapedBody(parsed, sizeBytes) };
}

/** The size of elements that differ is not known exactly. */
function smaller(one: RawShape): RawShape {
  return { ...one, body: (sizeBytes) => one.body(sizeBytes * 0.8) };
}

const [other, only] = process.argv.slice(2);
const programs: readonly (CollectorProgram & { readonly title: string })[] = [
  ...(other === undefined || other === '-'
    ? []
    : [{ title: 'other', name: 'siphon' as const, command: [process.execPath, other, 'run'] as const }]),
  { title: 'siphon', ...builtSiphon },
  ...[stockCollector()].flatMap((stock) => (stock === undefined ? [] : [{ title: 'stock', ...stock }])),
];

const sink = createServer((request, response) => void request.resume().on('end', () => response.end())).listen(0);
process.stdout.write(
  `| request | ${programs.map(({ title }) => `${title}: answer, longest wait, peak memory`).join(' | ')} |\n`,
);
process.stdout.write(`| --- |${' --- |'.repeat(programs.length)}\n`);
for (const [name, request] of Object.entries(requests)) {
  if (only !== undefined && !name.includes(only)) continue;
  const body = gzipSync(request.body(BODY_BYTES));
  const cells: string[] = [];
  for (const program of programs) cells.push(await measure(program, request, body));
  process.stdout.write(`| ${name} | ${cells.join(' | ')} |\n`);
}
sink.close();

async function measure(program: CollectorProgram, { signal, encoding }: RawShape, body: Uint8Array): Promise<string> {
  const [port = 0, scrapePort = 0, ownPort = 0] = await freePorts(3);
  const config = configOf(program, { port, scrapePort, ownPort });
  await using collector = await CollectorProcess.start(program, config);
  let longestMs = 0;
  const done = new AbortController();
  const probe = async (): Promise<void> => {
    while (!done.signal.aborted) {
      const startedAtMs = performance.now();
      await fetch(`http://127.0.0.1:${scrapePort}/metrics`).then(
        (page) => page.text(),
        () => '',
      );
      longestMs = Math.max(longestMs, performance.now() - startedAtMs);
      await sleep(PROBE_INTERVAL_MS);
    }
  };
  const probing = probe();
  await sleep(200);
  longestMs = 0;
  const answer = await post(`http://127.0.0.1:${port}/v1/${signal}`, encoding, body);
  done.abort();
  await probing.catch(() => undefined);
  return `${answer}, ${longestMs.toFixed(0)} ms, ${peakMebibytes(collector.pid).toFixed(0)} MiB`;
}

/** The status, or the error. */
async function post(url: string, encoding: RawShape['encoding'], body: Uint8Array): Promise<string> {
  const type = encoding === 'json' ? 'application/json' : 'application/x-protobuf';
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': type, 'content-encoding': 'gzip' },
      body: Buffer.from(body),
      signal: AbortSignal.timeout(MAX_ANSWER_MS),
    });
    await answer.arrayBuffer();
    return String(answer.status);
  } catch (error) {
    return `no answer (${String((error as Error).cause ?? error)})`;
  }
}

interface Ports {
  readonly port: number;
  readonly scrapePort: number;
  readonly ownPort: number;
}

function configOf({ name }: CollectorProgram, { port, scrapePort, ownPort }: Ports): unknown {
  const sinkPort = (sink.address() as AddressInfo).port;
  const traces =
    name === 'siphon'
      ? { sentry: { dsn: `http://key@127.0.0.1:${sinkPort}/1` } }
      : { otlp_http: { endpoint: `http://127.0.0.1:${sinkPort}` } };
  return {
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
    exporters: { prometheus: { endpoint: `127.0.0.1:${scrapePort}` }, ...traces },
    service: {
      telemetry: {
        metrics: { readers: [{ pull: { exporter: { prometheus: { host: '127.0.0.1', port: ownPort } } } }] },
      },
      pipelines: {
        traces: { receivers: ['otlp'], exporters: Object.keys(traces) },
        metrics: { receivers: ['otlp'], exporters: ['prometheus'] },
      },
    },
  };
}
