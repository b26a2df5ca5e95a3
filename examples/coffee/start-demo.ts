import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from './child.ts';
import { folderPrefix, foldersPlace, startControl } from './control.ts';
import { askDatabase, type DatabaseTruth } from './database/database-truth.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../postgres/embedded-postgres.ts';
import { applySchema } from './database/schema.ts';
import { createPollerRole, grantScrapePipeline } from '../postgres/shipped-sql.ts';
import { withClient } from '../postgres/with-client.ts';
import { isStoreFault, type Fault } from './fault.ts';
import { startHangingTransaction } from './hanging-process.ts';
import { guardFolder } from './guard.ts';
import { startPipeline } from './pipeline-process.ts';
import type { RunReport } from './pipeline/run-report.ts';
import { RunLog } from './run-log.ts';
import { scrape, type ScrapePage } from './scrape-page.ts';
import { startSentrySink, type SentrySink } from '../sentry-sink/sentry-sink.ts';
import { prometheusConfig, Sidecar, type SidecarPorts } from './sidecar.ts';
import { startShops } from './stores/shops.ts';
import type { Store } from './stores/store.ts';

const countingTimeoutMs = 20_000;
const countedTables = ['runs', 'artifacts', 'prices', 'coffees_created', 'variants_created'];

export interface DemoOptions {
  /** Ends the pipeline after one full run and one price run. */
  readonly once?: boolean;
  /** A database to use instead of an embedded one. The demo creates its tables in it. */
  readonly databaseUrl?: string;
  readonly seed?: string;
  /** Intervals between the starts of two runs. Default 20 and 7. */
  readonly fullRunEveryS?: number;
  readonly priceRunEveryS?: number;
  /** Without built-in hiccups: errors come only from faults. */
  readonly isCalm?: boolean;
  /** Additional `--set` options for the sidecar, e.g. `exporters.prometheus.max_series=5000`. */
  readonly sidecarSettings?: readonly string[];
  /** Called with one line for each part that was started or ended. */
  readonly progress?: (step: string) => void;
  /** Ends everything that was started so far; `startDemo` then rejects with its reason. */
  readonly signal?: AbortSignal;
}

export async function startDemo(options: DemoOptions = {}): Promise<Demo> {
  const demo = new Demo(options);
  try {
    await demo.start();
    return demo;
  } catch (error) {
    await demo.stop();
    throw error;
  }
}

/** The database, stores, sink, sidecar and pipeline of a running demo, and their faults. */
export class Demo implements AsyncDisposable {
  /** The runs that the pipeline has reported. */
  readonly runs = new RunLog();
  /** The active faults. */
  readonly faults = new Set<Fault>();
  databaseUrl = '';
  folder = '';
  readonly #options: DemoOptions;
  readonly #parts = new Parts();
  readonly #crash = Promise.withResolvers<string>();
  #baseline: DatabaseTruth | undefined;
  #embedded: EmbeddedPostgres | undefined;
  #pollerUrl = '';
  #stores: readonly Store[] = [];
  #sink: SentrySink | undefined;
  #sidecar: Sidecar | undefined;
  #pipeline: Child | undefined;
  #hanging: Child | undefined;
  #switching: Promise<void> = Promise.resolve();

  constructor(options: DemoOptions) {
    this.#options = options;
  }

  /** Resolves with a description when a part ends unexpectedly. */
  get crashed(): Promise<string> {
    return this.#crash.promise;
  }

  /** The content of the database before the pipeline started. */
  get baseline(): DatabaseTruth {
    return this.#baseline!;
  }

  get sink(): SentrySink {
    return this.#sink!;
  }

  get ports(): SidecarPorts {
    return this.#sidecar!.ports;
  }

  /** A Prometheus configuration that scrapes the sidecar. */
  get prometheusFile(): string {
    return join(this.folder, 'prometheus.yaml');
  }

  /** Resolves when the pipeline has ended, which it does after its runs with `once`. */
  async pipelineEnded(): Promise<void> {
    await this.#pipeline?.ended;
  }

  /** Lets the pipeline finish its current run and send its metrics. */
  async endPipeline(): Promise<void> {
    const pipeline = this.#pipeline;
    this.#pipeline = undefined;
    await pipeline?.stop();
  }

  async start(): Promise<void> {
    await this.#makeFolder();
    await this.#step('PostgreSQL with the scraper\u2019s schema', async () => await this.#startDatabase());
    await this.#step('two shops with recorded feeds', async () => await this.#startStores());
    await this.#step('a Sentry-like sink', async () => await this.#startSink());
    await this.#step('the sidecar with the configuration of the pipeline', async () => await this.#startSidecar());
    await this.#step('the pipeline with siphon-otel/preload', async () => await this.#startPipeline());
    if (this.#options.once !== true)
      await this.#step('the fault switch: npm run demo -- fault NAME on|off', async () => await this.#startControl());
  }

  /** Switches one fault at a time. Setting a fault to its current state has no effect. */
  async setFault(fault: Fault, on: boolean): Promise<void> {
    const before = this.#switching;
    const switched = (async () => {
      await before;
      if (this.faults.has(fault) === on) return;
      await this.#switch(fault, on);
      if (on) this.faults.add(fault);
      else this.faults.delete(fault);
    })();
    this.#switching = switched.catch(() => undefined);
    await switched;
  }

  /** Ends all parts, last started first, and removes their files. Safe to call twice. */
  async stop(): Promise<void> {
    await this.#parts.end(this.#options.progress ?? ignore);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #step(name: string, start: () => Promise<void>): Promise<void> {
    this.#options.signal?.throwIfAborted();
    await start();
    this.#options.progress?.(name);
  }

  async #makeFolder(): Promise<void> {
    this.folder = await mkdtemp(join(foldersPlace, folderPrefix));
    guardFolder(this.folder);
    this.#parts.add('the folder', async () => await rm(this.folder, { recursive: true, force: true, maxRetries: 5 }));
  }

  async #startDatabase(): Promise<void> {
    if (this.#options.databaseUrl === undefined) {
      const embedded = await startEmbeddedPostgres({ shared_preload_libraries: 'pg_stat_statements' });
      this.#embedded = embedded;
      this.#parts.add('PostgreSQL', async () => await embedded.stop());
      void embedded.ended.then((error) => error !== undefined && this.#crash.resolve(error.message));
    }
    this.databaseUrl = this.#embedded?.url ?? this.#options.databaseUrl!;
    await applySchema(this.databaseUrl);
    // Roles belong to the whole server, so on a given server the sidecar uses the login of DATABASE_URL.
    this.#pollerUrl = this.#embedded ? await createPollerRole(this.databaseUrl) : this.databaseUrl;
    if (this.#embedded) {
      await grantScrapePipeline(this.databaseUrl);
      await withClient(this.databaseUrl, async (client) => await client.query('create extension pg_stat_statements'));
    }
    this.#baseline = await askDatabase(this.databaseUrl);
  }

  async #startStores(): Promise<void> {
    const { seed = 'siphon', isCalm: areCalm = false } = this.#options;
    const shops = await startShops(this.databaseUrl, { seed, areCalm });
    this.#stores = shops;
    this.#parts.add('the shops', async () => await Promise.all(shops.map(async (shop) => await shop.stop())));
  }

  async #startSink(): Promise<void> {
    const sink = await startSentrySink();
    this.#sink = sink;
    this.#parts.add('the sink', async () => await sink.stop());
  }

  async #startSidecar(): Promise<void> {
    const sidecar = await Sidecar.start({
      env: {
        DATABASE_URL: this.#pollerUrl,
        SENTRY_DSN: this.sink.dsn,
        SIPHON_STORAGE_DIRECTORY: join(this.folder, 'storage'),
      },
      logFile: join(this.folder, 'sidecar.log'),
      pollInterval: '2s',
      settings: this.#options.sidecarSettings ?? [],
    });
    this.#sidecar = sidecar;
    this.#parts.add('the sidecar', async () => await sidecar.stop());
    void sidecar.crashed.then(this.#crash.resolve);
    await writeFile(this.prometheusFile, prometheusConfig(sidecar.ports));
    await awaitCounting(sidecar.ports.telemetry);
  }

  async #startPipeline(): Promise<void> {
    const { once = false, fullRunEveryS = 20, priceRunEveryS = 7 } = this.#options;
    const pipeline = startPipeline({
      databaseUrl: this.databaseUrl,
      otlpPort: this.ports.otlpHttp,
      folder: this.folder,
      schedule: once ? 'once' : { fullRunEveryS, priceRunEveryS },
    });
    this.#pipeline = pipeline;
    this.#parts.add('the pipeline', async () => await pipeline.stop());
    pipeline.process.on('message', (run) => this.runs.add(run as RunReport));
    const hasFinished = (): boolean => once && pipeline.process.exitCode === 0;
    void pipeline.ended.then((how) => this.#pipeline !== pipeline || hasFinished() || this.#crash.resolve(how));
  }

  async #startControl(): Promise<void> {
    const endControl = await startControl(this.folder, async (fault, on) => await this.setFault(fault, on));
    this.#parts.add('the faults', async () => {
      await endControl();
      await this.#hanging?.stop();
    });
  }

  async #switch(fault: Fault, on: boolean): Promise<void> {
    if (isStoreFault(fault)) for (const store of this.#stores) store.setFault(fault, on);
    else if (fault === 'sidecar_killed') await (on ? this.#sidecar?.kill() : this.#sidecar?.restart());
    else if (fault === 'database_stopped') await this.#setDatabaseStopped(on);
    else await this.#setHanging(on);
  }

  async #setDatabaseStopped(on: boolean): Promise<void> {
    if (this.#embedded === undefined) throw new Error('cannot stop a database that the demo has not started');
    await (on ? this.#embedded.pause() : this.#embedded.resume());
  }

  async #setHanging(on: boolean): Promise<void> {
    await this.#hanging?.stop();
    const { databaseUrl, folder } = this;
    this.#hanging = on
      ? await startHangingTransaction({ databaseUrl, folder, otlpPort: this.ports.otlpHttp })
      : undefined;
  }
}

/** Waits until the sidecar counts rows: it counts only rows that are inserted after that. */
async function awaitCounting(telemetryPort: number): Promise<void> {
  const end = performance.now() + countingTimeoutMs;
  while (!isCounting(await scrape(telemetryPort))) {
    if (performance.now() > end) throw new Error('the sidecar does not count the rows of the database');
    await sleep(100);
  }
}

function isCounting(own: ScrapePage): boolean {
  return countedTables.every((name) => {
    const query = `scrape_pipeline.${name}`;
    return own.sum('siphon_db_poller_query_duration_seconds_count', { query }) !== undefined;
  });
}

function ignore(): void {
  return;
}

/** The started parts in order, and how to end each of them. */
class Parts {
  readonly #parts: { readonly name: string; readonly end: () => Promise<unknown> }[] = [];
  #ended: Promise<void> | undefined;

  add(name: string, end: () => Promise<unknown>): void {
    this.#parts.push({ name, end });
  }

  /** Ends all parts, last started first, also when some of them fail. Safe to call twice. */
  async end(progress: (step: string) => void): Promise<void> {
    this.#ended ??= this.#endEach(progress);
    await this.#ended;
  }

  async #endEach(progress: (step: string) => void): Promise<void> {
    const errors: unknown[] = [];
    for (const { name, end } of this.#parts.toReversed()) {
      await end().then(
        () => progress(`ended ${name}`),
        (error: unknown) => errors.push(error),
      );
    }
    if (errors.length > 0) throw new AggregateError(errors, `cannot end all parts: ${errors.map(String).join('; ')}`);
  }
}
