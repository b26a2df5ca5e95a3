import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../wait-for.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** The shipped configuration, on ports that the system chooses. */
const FREE_PORTS = [
  'receivers.otlp.protocols.http.endpoint=127.0.0.1:0',
  'receivers.otlp.protocols.grpc.endpoint=127.0.0.1:0',
  'exporters.prometheus.endpoint=127.0.0.1:0',
  'extensions.health_check.endpoint=127.0.0.1:0',
  'service.telemetry.metrics.readers=[{pull: {exporter: {prometheus: {host: 127.0.0.1, port: 0}}}}]',
  'service.telemetry.logs.encoding=json',
];

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface SidecarOptions {
  readonly config?: string;
  readonly sets?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** The command; the one in `dist` unless given. */
  readonly command?: string;
}

/** The real process, built, on the shipped `otel-collector.yaml`. */
export class Sidecar implements AsyncDisposable {
  readonly process: ChildProcess;
  readonly logs: LogLine[] = [];
  readonly #exited: Promise<number | null>;

  private constructor(process: ChildProcess) {
    this.process = process;
    this.#exited = once(process, 'exit').then(([code]) => code as number | null);
    createInterface({ input: process.stderr! }).on('line', (line) => this.logs.push(parseLogLine(line)));
  }

  static async start(options: SidecarOptions = {}): Promise<Sidecar> {
    const sidecar = new Sidecar(spawnSidecar(options));
    await sidecar.waitForLog('Everything is ready');
    return sidecar;
  }

  /** `http://127.0.0.1:port` of the server that logged `Listening` with all these fields. */
  url(fields: Readonly<Record<string, string>>): string {
    const line = this.logs.find(
      (log) => log.msg === 'Listening' && Object.entries(fields).every(([key, value]) => log[key] === value),
    );
    if (line === undefined) throw new Error(`nothing listens as ${JSON.stringify(fields)}: ${this.logText()}`);
    return `http://${String(line['endpoint'])}`;
  }

  get otlpHttp(): string {
    return this.url({ id: 'otlp', transport: 'http' });
  }

  get otlpGrpc(): string {
    return this.url({ id: 'otlp', transport: 'grpc' });
  }

  /** The text of the scrape endpoint. */
  async scrape(headers: Record<string, string> = {}): Promise<string> {
    return await getText(`${this.url({ id: 'prometheus' })}/metrics`, headers);
  }

  /** The text of the sidecar's own metrics. */
  async selfMetrics(): Promise<string> {
    return await getText(`${this.url({ kind: 'telemetry' })}/metrics`);
  }

  async waitForLog(message: string, timeoutMs = 20_000): Promise<LogLine> {
    return await waitFor(
      () => {
        if (this.process.exitCode !== null) throw new Error(`the sidecar has ended: ${this.logText()}`);
        return this.logs.find((line) => line.msg === message);
      },
      { timeoutMs, what: `the log line “${message}” among: ${this.logText()}` },
    );
  }

  logText(): string {
    return this.logs.map((line) => JSON.stringify(line)).join('\n');
  }

  /** Resolves with the exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill(signal);
    return await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL');
  }
}

function spawnSidecar(options: SidecarOptions): ChildProcess {
  const { config = 'otel-collector.yaml', sets = [], environment = {}, command = 'dist/main.js' } = options;
  const settings = [...FREE_PORTS, ...sets].flatMap((set) => ['--set', set]);
  // Sidecars do not share their storage.
  const storage = mkdtempSync(join(tmpdir(), 'siphon-sidecar-'));
  const sidecar = spawn(process.execPath, [command, 'run', '--config', config, ...settings], {
    cwd: root,
    env: { PATH: process.env['PATH'], SIPHON_STORAGE_DIRECTORY: storage, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  sidecar.once('exit', () => rmSync(storage, { recursive: true, force: true }));
  return sidecar;
}

function parseLogLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { level: 0, msg: line };
  }
}

async function getText(url: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(url, { headers });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return await response.text();
}
