import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from './wait-for.ts';

/** Why tests with a real Prometheus cannot run here, or undefined if they can. */
export const prometheusMissing: string | undefined =
  spawnSync('prometheus', ['--version']).status === 0
    ? undefined
    : 'no `prometheus` on the PATH (Debian: apt-get install prometheus)';

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  /** Unix time in seconds, and the number as text. */
  readonly value: readonly [number, string];
}

export interface Target {
  readonly health: 'up' | 'down' | 'unknown';
  readonly lastError: string;
}

/** A real Prometheus on a free port, with its data in a temporary folder. */
export class PrometheusServer implements AsyncDisposable {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #directory: string;

  private constructor(url: string, process: ChildProcess, directory: string) {
    this.url = url;
    this.#process = process;
    this.#directory = directory;
  }

  /** Scrapes `targets` (`host:port`) every 500 ms and believes the `job` and `instance` that they give. */
  static async start(targets: readonly string[]): Promise<PrometheusServer> {
    const directory = await mkdtemp(join(tmpdir(), 'siphon-prometheus-'));
    await writeFile(join(directory, 'prometheus.yml'), JSON.stringify(configuration(targets)));
    const address = `127.0.0.1:${await freePort()}`;
    const process = spawn('prometheus', [
      `--config.file=${join(directory, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=${address}`,
      '--enable-feature=exemplar-storage',
      '--log.level=error',
    ]);
    const server = new PrometheusServer(`http://${address}`, process, directory);
    await waitFor(() => server.#ready(), { what: 'Prometheus to be ready' });
    return server;
  }

  /** The result of an instant query. */
  async query(expression: string): Promise<readonly Sample[]> {
    const answer = await this.#api<{ result: readonly Sample[] }>(`query?query=${encodeURIComponent(expression)}`);
    return answer.result;
  }

  /** The targets as Prometheus sees them. */
  async targets(): Promise<readonly Target[]> {
    const answer = await this.#api<{ activeTargets: readonly Target[] }>('targets');
    return answer.activeTargets;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    if (this.#process.exitCode === null && this.#process.signalCode === null) await once(this.#process, 'exit');
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #api<T>(path: string): Promise<T> {
    const response = await fetch(`${this.url}/api/v1/${path}`);
    const { status, data, error } = (await response.json()) as { status: string; data: T; error?: string };
    if (status !== 'success') throw new Error(`Prometheus: ${error}`);
    return data;
  }

  async #ready(): Promise<boolean> {
    if (this.#process.exitCode !== null) throw new Error('Prometheus has ended');
    return await fetch(`${this.url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  }
}

function configuration(targets: readonly string[]): unknown {
  return {
    global: { scrape_interval: '500ms', scrape_timeout: '500ms' },
    scrape_configs: [{ job_name: 'siphon', honor_labels: true, static_configs: [{ targets }] }],
  };
}

/** Prometheus cannot be asked to choose a port itself and tell it. */
async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  return port;
}
