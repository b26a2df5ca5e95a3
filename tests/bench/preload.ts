/**
 * `npm run bench:preload`: the cost of the preload for a service, next to the automatic instrumentation of OpenTelemetry with
 * the same signals: start, CPU for each request, and memory. The variants take turns, because other activity on the machine
 * should affect all of them equally.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { median } from './median.ts';

const HELP = `npm run bench:preload -- [options]

  --rounds N     measurements of each variant (default: 5)
  --requests N   requests of each measurement of CPU and memory (default: 10000)
  --help         print this text

Installs the compared packages from npm into a temporary folder.
`;

const PACKAGES = ['@opentelemetry/auto-instrumentations-node@0.82.0', '@opentelemetry/api@1.10.0', 'express@5.3.0'];
const CONCURRENCY = 8;

const preload = fileURLToPath(new URL('../../dist/sdk/preload.cjs', import.meta.url));
const variants = {
  bare: [],
  siphon: ['--import', preload],
  'auto-instrumentations': ['--import', '@opentelemetry/auto-instrumentations-node/register'],
} as const;
type Variant = keyof typeof variants;
const names = Object.keys(variants) as Variant[];

/** Each prints how long its start took and its port, and answers `/usage` with its CPU time and its memory. */
const services = {
  'start.mjs': `import { createServer } from 'node:http'; ${listening('createServer((request, response) => response.end("ok"))')}`,
  'http.cjs': `const { createServer } = require('node:http'); ${listening('createServer((request, response) => request.url === "/usage" ? usage(response) : response.end("ok"))')}`,
  'express.cjs': `const express = require('express'); const app = express();
    app.get('/usage', (request, response) => usage(response));
    app.get('/items/:id', (request, response) => response.send('ok'));
    ${listening('require("node:http").createServer(app)')}`,
};

function listening(server: string): string {
  return `
    function usage(response) {
      globalThis.gc?.();
      const { user, system } = process.cpuUsage();
      response.end(JSON.stringify({ cpuUs: user + system, residentMib: process.memoryUsage.rss() / 1048576 }));
    }
    const server = ${server};
    server.listen(0, '127.0.0.1', () => console.log(process.uptime() * 1000, server.address().port));`;
}

type Environment = Readonly<Record<string, string>>;

const SIGNALS = {
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
  OTEL_TRACES_EXPORTER: 'otlp',
  OTEL_METRICS_EXPORTER: 'otlp',
  OTEL_LOGS_EXPORTER: 'none',
};

interface Service {
  readonly folder: string;
  readonly file: string;
  readonly variant: Variant;
  readonly environment: Environment;
}

interface Usage {
  readonly cpuUs: number;
  readonly residentMib: number;
}

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    requests: { type: 'string', default: '10000' },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) process.stdout.write(HELP);
else await bench(Number(options.rounds), Number(options.requests));

async function bench(rounds: number, requests: number): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'siphon-bench-'));
  // Takes what the services send, and costs them nothing but that.
  const sink = createServer((request, response) => void request.resume().on('end', () => response.end()));
  try {
    await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', '--prefix', folder, ...PACKAGES]);
    for (const [file, text] of Object.entries(services)) await writeFile(path.join(folder, file), text);
    await once(sink.listen(0, '127.0.0.1'), 'listening');
    const endpoint = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`;
    const environment = { PATH: process.env['PATH'] ?? '', OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...SIGNALS };
    const cached = { ...environment, NODE_COMPILE_CACHE: path.join(folder, 'cache') };

    const start = async (file: string, env: Environment) =>
      await inTurns(rounds, async (variant) => await startOf({ folder, file, variant, environment: env }));
    print('start, CommonJS, ms', await start('http.cjs', environment));
    print('start, ES modules, ms', await start('start.mjs', environment));
    await start('http.cjs', cached);
    print('start, CommonJS, with a compile cache, ms', await start('http.cjs', cached));
    for (const file of ['http.cjs', 'express.cjs']) {
      const measured = await inTurns(
        rounds,
        async (variant) => await load({ folder, file, variant, environment }, requests),
      );
      print(
        `${file}: CPU for a request, µs`,
        mapped(measured, ({ cpuUs }) => cpuUs),
      );
      print(
        `${file}: resident after ${requests} requests, MiB`,
        mapped(measured, ({ residentMib }) => residentMib),
      );
    }
  } finally {
    sink.closeAllConnections();
    sink.close();
    await rm(folder, { recursive: true, force: true });
  }
}

type Measured<Value> = Record<Variant, Value[]>;

async function inTurns<Value>(rounds: number, measure: (variant: Variant) => Promise<Value>): Promise<Measured<Value>> {
  const measured: Measured<Value> = { bare: [], siphon: [], 'auto-instrumentations': [] };
  for (let round = 0; round < rounds; round++) {
    for (const variant of names) measured[variant].push(await measure(variant));
  }
  return measured;
}

function mapped<Value>(measured: Measured<Value>, map: (value: Value) => number): Measured<number> {
  const entries = names.map((name) => [name, measured[name].map((value) => map(value))] as const);
  return Object.fromEntries(entries) as Measured<number>;
}

function print(what: string, measured: Measured<number>): void {
  const [bare, siphon, auto] = names.map((name) => median(measured[name])) as [number, number, number];
  const added = `added ${(siphon - bare).toFixed(0)} and ${(auto - bare).toFixed(0)}, ratio ${((siphon - bare) / (auto - bare)).toFixed(2)}`;
  const values = `bare ${bare.toFixed(0)}, siphon ${siphon.toFixed(0)}, auto-instrumentations ${auto.toFixed(0)}`;
  process.stdout.write(`${what}: ${values}; ${added}\n`);
}

async function startOf(order: Service): Promise<number> {
  const { service, startMs } = await started(order);
  service.kill('SIGKILL');
  await once(service, 'exit');
  return startMs;
}

async function load(order: Service, requests: number): Promise<Usage> {
  const { service, port } = await started(order);
  const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });
  const ask = async (target: string): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    get({ port, path: target, agent }, (response) => {
      void response.toArray().then((chunks) => resolve(Buffer.concat(chunks as Buffer[]).toString()), reject);
    }).on('error', reject);
    return await promise;
  };
  const askOften = async (count: number): Promise<void> => {
    const lanes = Array.from({ length: CONCURRENCY }, async () => {
      for (let i = 0; i < count / CONCURRENCY; i++) await ask('/items/4711');
    });
    await Promise.all(lanes);
  };
  const usage = async (): Promise<Usage> => JSON.parse(await ask('/usage')) as Usage;
  // The first requests compile the code.
  await askOften(requests / 10);
  const before = await usage();
  await askOften(requests);
  const { cpuUs, residentMib } = await usage();
  agent.destroy();
  service.kill('SIGKILL');
  await once(service, 'exit');
  return { cpuUs: (cpuUs - before.cpuUs) / requests, residentMib };
}

async function started({
  folder,
  file,
  variant,
  environment: env,
}: Service): Promise<{ service: ChildProcess; startMs: number; port: number }> {
  const service = spawn(process.execPath, [...variants[variant], file], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [line] = (await once(createInterface(service.stdout), 'line')) as [string];
  const [startMs = Number.NaN, port = 0] = line.split(' ').map(Number);
  return { service, startMs, port };
}
