import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../network/free-ports.ts';
import { waitFor } from '../wait-for.ts';

/** Why tests with a real Prometheus cannot run here, or undefined if they can. */
export const prometheusMissing: string | undefined =
  spawnSync('prometheus', ['--version']).status === 0
    ? undefined
    : 'no `prometheus` on the PATH (Debian: apt-get install prometheus)';

const CONFIGURATION = 'prometheus.yml';

/** Unix time in seconds, and the number as text. */
export type Value = readonly [timeSeconds: number, value: string];
export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly metric: Labels;
  readonly value: Value;
}

export interface Series {
  readonly metric: Labels;
  readonly values: readonly Value[];
}

export interface Target {
  readonly health: 'up' | 'down' | 'unknown';
  readonly lastError: string;
}

export interface Rule {
  readonly name: string;
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError?: string | undefined;
}

export interface Metadata {
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

export interface ExemplarSeries {
  readonly seriesLabels: Labels;
  readonly exemplars: readonly { readonly labels: Labels; readonly value: string; readonly timestamp: number }[];
}

export interface PrometheusSetup {
  /** Feature flags, which are off by default. */
  readonly features?: readonly string[];
  /** Files next to `prometheus.yml`, by name. */
  readonly files?: ReadonlyMap<string, string>;
  /** A folder with blocks of the past, which stays. */
  readonly data?: string;
  /** The retention; default 15 days. */
  readonly retention?: string;
}

/**
 * A real Prometheus on a free port, with its data in a temporary folder. It takes about five seconds until its
 * first scrape, whatever the interval.
 */
export class PrometheusServer implements AsyncDisposable {
  readonly url: string;
  readonly #options: readonly string[];
  readonly #directory: string;
  #process: ChildProcess;
  #log = '';

  private constructor(url: string, options: readonly string[], directory: string) {
    this.url = url;
    this.#options = options;
    this.#directory = directory;
    this.#process = this.#spawn();
  }

  /** Scrapes `targets` (`host:port`) every 500 ms and believes the `job` and `instance` that they give. */
  static start(targets: readonly string[], ...features: readonly string[]): Promise<PrometheusServer> {
    const configuration = {
      global: { scrape_interval: '500ms', scrape_timeout: '500ms' },
      scrape_configs: [{ job_name: 'siphon', honor_labels: true, static_configs: [{ targets }] }],
    };
    return PrometheusServer.startWith(configuration, { features });
  }

  /** Starts with this content of `prometheus.yml`. */
  static async startWith(
    configuration: object,
    { features = [], files = new Map<string, string>(), data, retention = '15d' }: PrometheusSetup = {},
  ): Promise<PrometheusServer> {
    const directory = await mkdtemp(join(tmpdir(), 'siphon-prometheus-'));
    const file = join(directory, CONFIGURATION);
    await writeFile(file, JSON.stringify(configuration));
    for (const [name, text] of files) await writeFile(join(directory, name), text);
    const address = `127.0.0.1:${(await freePorts(1))[0]}`;
    const options = [
      `--config.file=${file}`,
      `--storage.tsdb.path=${data ?? join(directory, 'data')}`,
      `--storage.tsdb.retention.time=${retention}`,
      `--web.listen-address=${address}`,
      `--enable-feature=${['exemplar-storage', ...features].join(',')}`,
      '--web.enable-lifecycle',
      '--log.level=error',
    ];
    const server = new PrometheusServer(`http://${address}`, options, directory);
    try {
      await waitFor(() => server.#ready(), { what: 'Prometheus to be ready' });
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  /** From now on with another `prometheus.yml`. */
  async reload(configuration: object): Promise<void> {
    await writeFile(join(this.#directory, CONFIGURATION), JSON.stringify(configuration));
    const response = await fetch(`${this.url}/-/reload`, { method: 'POST' });
    if (!response.ok) throw new Error(`Prometheus does not take it: ${await response.text()}`);
  }

  /** Restarts it on the same data, so that it loads all blocks. */
  async restart(): Promise<void> {
    await this.#end();
    this.#process = this.#spawn();
    await waitFor(() => this.#ready(), { what: 'Prometheus to be ready again' });
  }

  /** The result of an instant query. */
  async query(expression: string): Promise<readonly Sample[]> {
    return (await this.#api<{ result: readonly Sample[] }>('query', { query: expression })).result;
  }

  /** Every sample that was scraped. */
  async samples(selector: string): Promise<readonly Series[]> {
    return (await this.#api<{ result: readonly Series[] }>('query', { query: `${selector}[1h]` })).result;
  }

  /** The metadata of each metric from the last scrapes. */
  metadata(): Promise<Readonly<Record<string, readonly Metadata[]>>> {
    return this.#api('metadata');
  }

  exemplars(selector: string): Promise<readonly ExemplarSeries[]> {
    const nowSeconds = Date.now() / 1000;
    return this.#api('query_exemplars', {
      query: selector,
      start: String(nowSeconds - 3600),
      end: String(nowSeconds + 3600),
    });
  }

  /** The targets as Prometheus sees them. */
  async targets(): Promise<readonly Target[]> {
    const { activeTargets } = await this.#api<{ activeTargets: readonly Target[] }>('targets');
    return activeTargets.map(({ health, lastError }) => ({ health, lastError }));
  }

  /** The rules as they were evaluated last. */
  async rules(): Promise<readonly Rule[]> {
    const { groups } = await this.#api<{ groups: readonly { readonly rules: readonly Rule[] }[] }>('rules');
    return groups.flatMap(({ rules }) => rules.map(({ name, health, lastError }) => ({ name, health, lastError })));
  }

  /** Resolves with the targets when each has been scraped. */
  async scrapedTargets(): Promise<readonly Target[]> {
    return await waitFor(
      async () => {
        const targets = await this.targets();
        return targets.length > 0 && targets.every(({ health }) => health !== 'unknown') && targets;
      },
      { what: 'every target to be scraped' },
    );
  }

  /** Resolves with the samples when there are some. */
  async found(expression: string, timeoutMs = 20_000): Promise<readonly Sample[]> {
    return await waitFor(
      async () => {
        const samples = await this.query(expression);
        return samples.length > 0 && samples;
      },
      { what: `Prometheus to find ${expression}`, timeoutMs },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
    await rm(this.#directory, { recursive: true, force: true });
  }

  #spawn(): ChildProcess {
    const child = spawn('prometheus', this.#options, { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#log += text));
    return child;
  }

  async #end(): Promise<void> {
    this.#process.kill('SIGKILL');
    if (this.#process.exitCode === null && this.#process.signalCode === null) await once(this.#process, 'exit');
  }

  async #api<T>(path: string, parameters: Record<string, string> = {}): Promise<T> {
    const response = await fetch(`${this.url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`);
    const { status, data, error } = (await response.json()) as { status: string; data: T; error?: string };
    if (status !== 'success') throw new Error(`Prometheus: ${error}`);
    return data;
  }

  async #ready(): Promise<boolean> {
    if (this.#process.exitCode !== null) throw new Error(`Prometheus has ended: ${this.#log}`);
    return await fetch(`${this.url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  }
}
