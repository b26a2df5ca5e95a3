import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from './child.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './database/embedded-postgres.ts';
import { registerSource } from './database/register-source.ts';
import { applySchema } from './database/schema.ts';
import { isStoreFault, type Fault } from './fault.ts';
import { openHangingTransaction } from './hanging-transaction.ts';
import type { RunReport } from './pipeline/run-report.ts';
import { startSentrySink, type SentrySink } from './sentry-sink/sentry-sink.ts';
import { choosePorts, startSidecar, type SidecarPorts } from './sidecar.ts';
import { startStore, type Store } from './stores/store.ts';

export interface DemoOptions {
  /** One full run and one price run, then the pipeline ends. */
  readonly once?: boolean;
  /** A database to use instead of an embedded one; it gets the demo's tables. */
  readonly databaseUrl?: string;
  readonly seed?: string;
  /** Told what is being started, one line a step. */
  readonly progress?: (step: string) => void;
}

type Cleanup = () => Promise<unknown>;

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

/** Database, stores, sink, sidecar and pipeline, and how to break and end them. */
export class Demo implements AsyncDisposable {
  /** What the pipeline has told of its runs, the latest last; old ones are forgotten. */
  readonly runs: RunReport[] = [];
  databaseUrl = '';
  readonly #options: DemoOptions;
  readonly #cleanups: Cleanup[] = [];
  readonly #stores: Store[] = [];
  readonly #crash = Promise.withResolvers<string>();
  #folder = '';
  #embedded: EmbeddedPostgres | undefined;
  #sink: SentrySink | undefined;
  #ports: SidecarPorts | undefined;
  #sidecar: Child | undefined;
  #pipeline: Child | undefined;
  #endHanging: Cleanup | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: DemoOptions) {
    this.#options = options;
  }

  /** Resolves with what happened when a part ends that nobody has ended. */
  get crashed(): Promise<string> {
    return this.#crash.promise;
  }

  get sink(): SentrySink {
    return this.#sink!;
  }

  get ports(): SidecarPorts {
    return this.#ports!;
  }

  get stores(): readonly Store[] {
    return this.#stores;
  }

  /** Resolves when the pipeline has ended by itself, which it does after `once`. */
  async pipelineEnded(): Promise<void> {
    await this.#pipeline?.ended;
  }

  async start(): Promise<void> {
    const progress = this.#options.progress ?? ((): void => undefined);
    this.#folder = await mkdtemp(join(tmpdir(), 'siphon-demo-'));
    this.#cleanups.push(async () => await rm(this.#folder, { recursive: true, force: true }));
    await this.#startDatabase();
    progress('PostgreSQL, with the scraper\u2019s schema');
    await this.#startStores();
    progress('two shops, on recorded feeds');
    this.#sink = await startSentrySink();
    this.#cleanups.push(async () => await this.#sink?.[Symbol.asyncDispose]());
    progress('a Sentry-like sink');
    this.#ports = await choosePorts();
    this.#cleanups.push(async () => await this.#sidecar?.stop());
    await this.#startSidecar();
    progress('the sidecar, on otel-collector.yaml');
    this.#startPipeline();
    progress('the pipeline, with siphon-otel/preload');
  }

  async setFault(fault: Fault, on: boolean): Promise<void> {
    if (isStoreFault(fault)) for (const store of this.#stores) store.setFault(fault, on);
    else if (fault === 'sidecar_killed') await (on ? this.#killSidecar() : this.#startSidecar());
    else if (fault === 'database_stopped') await this.#setDatabaseStopped(on);
    else await this.#setHanging(on);
  }

  /** Has something else ended with the demo, before its parts. */
  onStop(cleanup: Cleanup): void {
    this.#cleanups.push(cleanup);
  }

  /** Ends every part, last started first, and removes what was written. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopped ??= this.#cleanUp();
    await this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #cleanUp(): Promise<void> {
    for (const cleanup of this.#cleanups.toReversed()) await cleanup();
  }

  async #startDatabase(): Promise<void> {
    if (this.#options.databaseUrl === undefined) {
      const embedded = await startEmbeddedPostgres();
      this.#embedded = embedded;
      this.#cleanups.push(async () => await embedded.stop());
      void embedded.ended.then((error) => error !== undefined && this.#crash.resolve(error.message));
    }
    this.databaseUrl = this.#embedded?.url ?? this.#options.databaseUrl!;
    await applySchema(this.databaseUrl);
  }

  async #startStores(): Promise<void> {
    const seed = this.#options.seed ?? 'siphon';
    const shopify = await startStore({ platform: 'shopify', seed, rateLimitedAt: 2, brokenAt: 19 });
    this.#stores.push(shopify);
    this.#cleanups.push(async () => await shopify.stop());
    const woo = await startStore({ platform: 'woocommerce', seed, rateLimitedAt: 12, brokenAt: 3 });
    this.#stores.push(woo);
    this.#cleanups.push(async () => await woo.stop());
    await registerSource(this.databaseUrl, {
      slug: 'blue-tokai',
      name: 'Blue Tokai Coffee Roasters',
      platform: 'shopify',
      baseUrl: shopify.url,
      productsEndpoint: '/products.json',
    });
    await registerSource(this.databaseUrl, {
      slug: 'babas-beans',
      name: 'Baba\u2019s Beans',
      platform: 'woocommerce',
      baseUrl: woo.url,
      productsEndpoint: '/wp-json/wc/store/v1/products',
    });
  }

  async #startSidecar(): Promise<void> {
    if (this.#sidecar?.isRunning === true) return;
    const sidecar = await startSidecar(this.ports, {
      env: { DATABASE_URL: this.databaseUrl, SENTRY_DSN: this.sink.dsn },
      logFile: join(this.#folder, 'sidecar.log'),
      pollInterval: '2s',
    });
    this.#sidecar = sidecar;
    void sidecar.ended.then((how) => this.#sidecar === sidecar && this.#crash.resolve(how));
  }

  async #killSidecar(): Promise<void> {
    const sidecar = this.#sidecar;
    this.#sidecar = undefined;
    sidecar?.process.kill('SIGKILL');
    await sidecar?.ended;
  }

  #startPipeline(): void {
    const once = this.#options.once === true;
    const script = ['src/demo/pipeline/main.ts', '--artifacts-folder', join(this.#folder, 'artifacts')];
    const pipeline = new Child(
      'pipeline',
      ['--import', 'siphon-otel/preload', ...script, ...(once ? ['--once'] : [])],
      {
        env: {
          DATABASE_URL: this.databaseUrl,
          OTEL_SERVICE_NAME: 'coffee-pipeline',
          OTEL_RESOURCE_ATTRIBUTES: `service.instance.id=${randomUUID()}`,
          OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.ports.otlpHttp}`,
          OTEL_METRIC_EXPORT_INTERVAL: '2000',
          OTEL_BSP_SCHEDULE_DELAY: '1000',
        },
        logFile: join(this.#folder, 'pipeline.log'),
      },
    );
    this.#pipeline = pipeline;
    this.#cleanups.push(async () => await pipeline.stop());
    pipeline.process.on('message', (run) => {
      this.runs.push(run as RunReport);
      if (this.runs.length > 1000) this.runs.shift();
    });
    void pipeline.ended.then((how) => (once && pipeline.process.exitCode === 0) || this.#crash.resolve(how));
  }

  async #setDatabaseStopped(on: boolean): Promise<void> {
    if (this.#embedded === undefined) throw new Error('a database that the demo has not started is not its to stop');
    await (on ? this.#embedded.pause() : this.#embedded.resume());
  }

  async #setHanging(on: boolean): Promise<void> {
    await this.#endHanging?.();
    this.#endHanging = on ? await openHangingTransaction(this.databaseUrl) : undefined;
    this.#cleanups.push(async () => await this.#endHanging?.());
  }
}
