import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../wait-for.ts';
import { wrongAccounts } from './ledger.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** The shipped configuration, on ports that the system chooses. */
const FREE_PORTS = [
  'receivers.otlp.protocols.http.endpoint=127.0.0.1:0',
  'receivers.otlp.protocols.grpc.endpoint=127.0.0.1:0',
  'exporters.prometheus.endpoint=127.0.0.1:0',
  'exporters.telemetry_store.endpoint=127.0.0.1:0',
  'extensions.health_check.endpoint=127.0.0.1:0',
  'extensions.metrics_history.endpoint=127.0.0.1:0',
  'extensions.console.endpoint=127.0.0.1:0',
  'service.telemetry.metrics.readers=[{pull: {exporter: {prometheus: {host: 127.0.0.1, port: 0}}}}]',
  'service.telemetry.logs.encoding=json',
];

/** On a machine with much other work. */
const START_TIMEOUT_MS = 60_000;

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface SidecarOptions {
  /** Later files override earlier ones; the shipped `otel-collector.yaml` unless given. */
  readonly configs?: readonly string[];
  readonly sets?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** False if the configuration chooses its ports itself. */
  readonly freePorts?: boolean;
  /** A command that runs the sidecar, for example in a namespace. */
  readonly within?: readonly [string, ...string[]];
  /** Further options of the command. */
  readonly options?: readonly string[];
  /** A shell command that runs first in the same process, for example `ulimit -n 64`. */
  readonly before?: string;
  /** The command; the one in `dist` unless given. */
  readonly command?: string;
}

/** `siphon run` as a process, by default the built command with the shipped `otel-collector.yaml`. */
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
    try {
      await sidecar.waitForLog('Everything is ready', START_TIMEOUT_MS);
      return sidecar;
    } catch (error) {
      await sidecar.stop('SIGKILL');
      throw error;
    }
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
    const exitCode = await this.#exited;
    this.#checkLedger();
    return exitCode;
  }

  /** After a clean end, the fate of every item is known. @throws Error with the accounts in which it is not. */
  #checkLedger(): void {
    const ledger = this.logs.find(({ msg }) => msg === 'Shutdown is complete')?.['ledger'] ?? [];
    const wrong = (ledger as readonly { readonly difference: number }[]).filter(({ difference }) => difference !== 0);
    if (wrong.length > 0) throw new Error(`the fate of items is not known: ${JSON.stringify(wrong)}`);
  }

  /** @throws Error if the sidecar still answers, and does not know the fate of an item. */
  async [Symbol.asyncDispose](): Promise<void> {
    const page = this.process.exitCode === null ? await this.#pageOfLedger() : '';
    await this.stop('SIGKILL');
    if (wrongAccounts(page).length > 0)
      throw new Error(`the fate of items is not known: ${wrongAccounts(page).join()}`);
  }

  /** Empty if it cannot be read: the sidecar may be stopped, or have no such page. */
  async #pageOfLedger(): Promise<string> {
    try {
      return await getText(`${this.url({ kind: 'telemetry' })}/metrics`, {}, AbortSignal.timeout(1000));
    } catch {
      return '';
    }
  }
}

function spawnSidecar(options: SidecarOptions): ChildProcess {
  const { configs = ['otel-collector.yaml'], sets = [], environment = {}, command = 'dist/main.js' } = options;
  const { freePorts = true, options: more = [], within = [] } = options;
  const files = configs.flatMap((file) => ['--config', file]);
  const settings = [...(freePorts ? FREE_PORTS : []), ...sets].flatMap((set) => ['--set', set]);
  // Sidecars do not share their storage.
  const storage = mkdtempSync(join(tmpdir(), 'siphon-sidecar-'));
  const args = [...within, process.execPath, command, 'run', ...files, ...settings, ...more];
  const { before = 'true' } = options;
  const sidecar = spawn('sh', ['-c', `${before}; exec "$@"`, 'sh', ...args], {
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

async function getText(url: string, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<string> {
  const response = await fetch(url, { headers, signal: signal ?? null });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return await response.text();
}
