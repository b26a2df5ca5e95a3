import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { freePorts } from '../network/free-ports.ts';
import { waitFor } from '../wait-for.ts';
import type { RequestShape } from './request-shape.ts';
import type { StallReport } from './stall-monitor.ts';

const MONITOR = fileURLToPath(new URL('stall-monitor.ts', import.meta.url));
const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

export interface Outcome extends StallReport {
  readonly status: number;
  readonly bodyMib: number;
}

/**
 * siphon in a process of its own, with every component that reads requests, and the monitor of stalls. What it sends goes
 * to a server here that reads and forgets it.
 */
export class WatchedSiphon implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #directory: string;
  readonly #backend: Server;
  readonly #port: number;
  readonly #ownPort: number;
  #log = '';

  private constructor(
    child: ChildProcess,
    place: { directory: string; backend: Server; port: number; ownPort: number },
  ) {
    this.#child = child;
    this.#directory = place.directory;
    this.#backend = place.backend;
    this.#port = place.port;
    this.#ownPort = place.ownPort;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#log = (this.#log + text).slice(-20_000)));
  }

  static async start(): Promise<WatchedSiphon> {
    const directory = await mkdtemp(join(tmpdir(), 'siphon-shapes-'));
    const backend = createServer((request, response) => {
      request.resume().on('end', () => response.end());
    }).listen(0, '127.0.0.1');
    await once(backend, 'listening');
    const [port = 0, scrapePort = 0, ownPort = 0, storePort = 0, historyPort = 0] = await freePorts(5);
    const backendPort = (backend.address() as AddressInfo).port;
    const config = join(directory, 'config.yaml');
    await writeFile(
      config,
      JSON.stringify(configOf({ port, scrapePort, ownPort, storePort, historyPort, backendPort })),
    );
    const child = spawn(process.execPath, ['--expose-gc', '--import', MONITOR, MAIN, 'run', '--config', config], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const siphon = new WatchedSiphon(child, { directory, backend, port, ownPort });
    await waitFor(() => siphon.#isReady(), { what: 'siphon to be ready' });
    return siphon;
  }

  /** Sends the body, compressed, and measures until it is processed. */
  async measure({ signal, encoding }: Pick<RequestShape, 'signal' | 'encoding'>, body: Uint8Array): Promise<Outcome> {
    const compressed = gzipSync(body, { level: 1 });
    await this.#ask('begin');
    const response = await fetch(`http://127.0.0.1:${this.#port}/v1/${signal}`, {
      method: 'POST',
      headers: {
        'content-type': encoding === 'json' ? 'application/json' : 'application/x-protobuf',
        'content-encoding': 'gzip',
      },
      body: compressed,
    });
    await response.arrayBuffer();
    await this.#settle();
    const report = (await this.#ask('end')) as StallReport;
    return { ...report, status: response.status, bodyMib: body.length / 1024 ** 2 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL');
      await once(this.#child, 'exit');
    }
    this.#backend.closeAllConnections();
    this.#backend.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** Resolves when everything that was accepted has been sent or dropped. */
  async #settle(): Promise<void> {
    await sleep(SETTLE_MS);
    for (const until = performance.now() + MAX_SETTLE_MS; performance.now() < until; await sleep(SETTLE_MS)) {
      const metrics = await (await fetch(`http://127.0.0.1:${this.#ownPort}/metrics`)).text();
      const waiting = metrics.matchAll(/^(?:siphon_sentry_held_spans|otelcol_exporter_queue_size)\S* (\d+)/gm);
      if ([...waiting].every(([, count]) => count === '0')) return;
    }
  }

  async #ask(message: 'begin' | 'end'): Promise<unknown> {
    const signal = AbortSignal.timeout(ANSWER_MS);
    this.#child.send(message);
    for (;;) {
      const [answer] = (await once(this.#child, 'message', { signal })) as [unknown];
      if ((answer === 'begun') === (message === 'begin')) return answer;
    }
  }

  #isReady(): boolean {
    if (this.#child.exitCode !== null) throw new Error(`siphon ended at its start:\n${this.#log}`);
    return this.#log.includes('Everything is ready');
  }
}

/** The batch processor sends its batch in this time. */
const SETTLE_MS = 100;
const MAX_SETTLE_MS = 20_000;
const ANSWER_MS = 60_000;

interface Ports {
  readonly port: number;
  readonly scrapePort: number;
  readonly ownPort: number;
  readonly storePort: number;
  readonly historyPort: number;
  readonly backendPort: number;
}

function configOf({ port, scrapePort, ownPort, storePort, historyPort, backendPort }: Ports): unknown {
  const exporters = ['debug', 'otlp_http'];
  return {
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
    processors: {
      batch: { timeout: '50ms', send_batch_size: 1000, send_batch_max_size: 1000 },
      // Each condition is tested. None holds for a part that is sent.
      filter: {
        traces: { span: ['attributes["shape"] == "none"'], spanevent: ['name == "none"'] },
        metrics: { datapoint: ['attributes["shape"] == "none"'] },
        logs: { log_record: ['attributes["shape"] == "none"'] },
      },
      probabilistic_sampler: { sampling_percentage: 99, mode: 'equalizing', fail_closed: false },
      exemplars: {},
      tail_sampling: {
        decision_wait: '40ms',
        max_size_mib: 4,
        policies: [
          { name: 'failed', type: 'status_code', status_code: { status_codes: ['ERROR'] } },
          { name: 'linked', type: 'exemplar', exemplar: { wait: '50ms' } },
        ],
      },
    },
    connectors: { span_metrics: { dimensions: [{ name: 'http.route' }], exemplars: { enabled: true } } },
    extensions: {
      metrics_history: { endpoint: `127.0.0.1:${historyPort}`, interval: '1s', max_bytes: 4 * 1024 * 1024 },
    },
    exporters: {
      telemetry_store: { endpoint: `127.0.0.1:${storePort}`, max_size_mib: 4 },
      prometheus: {
        endpoint: `127.0.0.1:${scrapePort}`,
        history: 'metrics_history',
        enable_open_metrics: true,
        max_series: 1000,
        resource_to_telemetry_conversion: { enabled: true },
      },
      sentry: {
        dsn: `http://key@127.0.0.1:${backendPort}/1`,
        trace_buffer: { grace_period: '40ms', max_size_mib: 4 },
        sending_queue: { queue_size: 1024 * 1024 },
      },
      debug: { verbosity: 'detailed' },
      otlp_http: { endpoint: `http://127.0.0.1:${backendPort}` },
    },
    service: {
      extensions: ['metrics_history'],
      telemetry: {
        metrics: { readers: [{ pull: { exporter: { prometheus: { host: '127.0.0.1', port: ownPort } } } }] },
      },
      pipelines: {
        traces: { receivers: ['otlp'], exporters: ['sentry', ...exporters] },
        'traces/derived': {
          receivers: ['otlp'],
          processors: ['filter', 'probabilistic_sampler', 'exemplars', 'tail_sampling'],
          exporters: ['span_metrics', 'telemetry_store'],
        },
        'traces/batch': { receivers: ['otlp'], processors: ['batch'], exporters: ['debug'] },
        metrics: { receivers: ['otlp'], exporters },
        'metrics/derived': {
          receivers: ['otlp', 'span_metrics'],
          processors: ['filter', 'exemplars', 'tail_sampling'],
          exporters: ['prometheus'],
        },
        'metrics/batch': { receivers: ['otlp'], processors: ['batch'], exporters: ['debug'] },
        logs: { receivers: ['otlp'], exporters },
        'logs/derived': { receivers: ['otlp'], processors: ['filter'], exporters: ['telemetry_store'] },
        'logs/batch': { receivers: ['otlp'], processors: ['batch'], exporters: ['debug'] },
      },
    },
  };
}
