import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { scrapePipelineDatabase } from '../../src/packs/scrape-pipeline/database.ts';
import { CollectorProcess, type CollectorProgram } from '../support/processes/collector-process.ts';
import { freePorts } from '../support/network/free-ports.ts';
import { waitFor } from '../support/wait-for.ts';
import { PageWatch, readPage, type Page } from './published.ts';

const LOOK_EVERY_MS = 150;
const START_TIMEOUT_MS = 60_000;

export interface FragileSidecarSettings {
  readonly program: CollectorProgram;
  readonly databaseUrl: string;
  /** Keys of `db_poller`, in addition to those of every simulation. */
  readonly poller?: Readonly<Record<string, unknown>>;
  /** Its counters. Default: those of the pack `scrape_pipeline`. */
  readonly counted?: {
    /** Values of the label `query`. */
    readonly queries: readonly string[];
    /** Names of metrics, without `_total`. */
    readonly metrics: ReadonlySet<string>;
  };
}

/** siphon with a storage that survives it. It can be killed and restarted; its page is watched all the time. */
export class FragileSidecar implements AsyncDisposable {
  kills = 0;
  #watch = new PageWatch();
  readonly #settings: FragileSidecarSettings;
  readonly #directory: string;
  readonly #ended = new AbortController();
  readonly #watching: Promise<void>;
  /** Kills that overlap come one after the other. */
  #restarting: Promise<void> = Promise.resolve();
  #running:
    | { readonly process: CollectorProcess; readonly pagePort: number; readonly telemetryPort: number }
    | undefined;
  #page: Page | undefined;

  static async launch(settings: FragileSidecarSettings): Promise<FragileSidecar> {
    const sidecar = new FragileSidecar(settings, await mkdtemp(join(tmpdir(), 'siphon-fragile-')));
    await sidecar.restart();
    return sidecar;
  }

  get watch(): PageWatch {
    return this.#watch;
  }

  /** For a moment at which the counters must restart: pages from now on are not compared with earlier ones. */
  watchAgain(): void {
    this.#watch = new PageWatch();
  }

  /** Resolves when each of its counters knows from where it counts, also if another sidecar is the one that polls. */
  async hasBegun(): Promise<void> {
    await this.#running?.process.ready();
    const ofPack = scrapePipelineDatabase.names.counters.map((name) => `scrape_pipeline.${name}`);
    for (const name of this.#settings.counted?.queries ?? ofPack) {
      await waitFor(() => this.#ofQuery('counting_since_timestamp_seconds', name), {
        what: `counting of ${name} to begin\n${this.logTail}`,
        timeoutMs: START_TIMEOUT_MS,
      });
    }
  }

  private constructor(settings: FragileSidecarSettings, directory: string) {
    this.#settings = settings;
    this.#directory = directory;
    this.#watching = this.#look();
  }

  /** Does not wait until it is ready. It must have been killed before. */
  async restart(): Promise<void> {
    const [pagePort = 0, telemetryPort = 0] = await freePorts(2);
    const process = await CollectorProcess.launch(this.#settings.program, this.#configuration(pagePort, telemetryPort));
    this.#running = { process, pagePort, telemetryPort };
  }

  /** SIGKILL, and a while later it is launched again; resolves without waiting until it is ready. */
  async killAndRestart(awayMs: number): Promise<void> {
    this.kills++;
    this.#restarting = this.#restartAfter(this.#restarting, awayMs);
    await this.#restarting;
  }

  /** SIGKILL, for good; resolves when it has gone. */
  async kill(): Promise<void> {
    const { process } = this.#running ?? {};
    this.#running = undefined;
    this.#page = undefined;
    await process?.[Symbol.asyncDispose]();
  }

  /** The latest page, if any. */
  get page(): Page | undefined {
    return this.#page;
  }

  get logTail(): string {
    return this.#running?.process.logTail ?? 'it does not run';
  }

  /** How often a query has succeeded; undefined if it has not, or while siphon does not answer. */
  async successes(query: string): Promise<number | undefined> {
    return await this.#ofQuery('query_duration_seconds_count', query);
  }

  /** Sum of the samples of its own metrics whose line begins so; undefined while it does not answer. */
  async own(prefix: string): Promise<number | undefined> {
    const values = await this.#telemetryValues(prefix);
    return values?.reduce((sum, value) => sum + value, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#restarting;
    await this.kill();
    await this.#watching;
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #ofQuery(metric: string, query: string): Promise<number | undefined> {
    return (await this.#telemetryValues(`siphon_db_poller_${metric}{receiver="db_poller",query="${query}"}`))?.[0];
  }

  async #restartAfter(before: Promise<void>, awayMs: number): Promise<void> {
    await before;
    await this.kill();
    await sleep(awayMs);
    await this.restart();
  }

  async #telemetryValues(prefix: string): Promise<number[] | undefined> {
    if (!this.#running) return undefined;
    try {
      const response = await fetch(`http://127.0.0.1:${this.#running.telemetryPort}/metrics`);
      const lines = (await response.text()).split('\n').filter((line) => line.startsWith(prefix));
      return lines.map((line) => Number(line.slice(line.lastIndexOf('} ') + 2).split(' ', 1)[0]));
    } catch {
      return undefined;
    }
  }

  async #look(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      const running = this.#running;
      const page = running && (await this.#read(running.pagePort));
      if (running === this.#running) this.#page = page;
      if (page) this.watch.saw(page);
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** A page that cannot be fetched is ignored; one that cannot be parsed is a violation. */
  async #read(port: number): Promise<Page | undefined> {
    try {
      return await readPage(port, this.#settings.counted?.metrics);
    } catch (error) {
      const isAway = error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError');
      if (!isAway) this.watch.violations.push(`a page could not be read: ${String(error)}`);
      return undefined;
    }
  }

  #configuration(pagePort: number, telemetryPort: number): unknown {
    return {
      receivers: {
        db_poller: {
          datasource: this.#settings.databaseUrl,
          storage: 'file_storage',
          collection_interval: '300ms',
          initial_delay: '0s',
          reconcile_interval: '3s',
          packs: { scrape_pipeline: { batch_rows: 200 } },
          ...this.#settings.poller,
        },
      },
      exporters: { prometheus: { endpoint: `127.0.0.1:${pagePort}`, enable_open_metrics: true } },
      extensions: { file_storage: { directory: this.#directory } },
      service: {
        extensions: ['file_storage'],
        telemetry: {
          metrics: { readers: [{ pull: { exporter: { prometheus: { host: '127.0.0.1', port: telemetryPort } } } }] },
        },
        pipelines: { metrics: { receivers: ['db_poller'], exporters: ['prometheus'] } },
      },
    };
  }
}
