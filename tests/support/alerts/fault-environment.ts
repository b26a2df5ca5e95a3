import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Client, QueryResultRow } from 'pg';
import { registerSource } from '../../../examples/coffee/database/register-source.ts';
import { withClient } from '../../../examples/postgres/with-client.ts';
import { Sidecar } from '../../../examples/coffee/sidecar.ts';
import { startStore, type Store } from '../../../examples/coffee/stores/store.ts';
import { AlertSink } from './alert-sink.ts';
import { AlertmanagerServer } from './alertmanager-server.ts';
import { shortenedRules } from './shortened-rules.ts';
import { SCRAPE_S, MonitoredDemo } from '../dashboards/monitored-demo.ts';

/** Alertmanager groups alerts that start within two scrapes. */
const GROUP_WAIT = '4s';

/** Queries that run at a quarter of the usual rate by default. */
const SLOW_QUERIES = [
  ...[
    'health',
    'roasters',
    'coffees',
    'review_rate',
    'variants',
    'variants_price_stale',
    'last_run_seen',
    'coffees_created',
    'variants_created',
  ].map((name) => `scrape_pipeline.queries.${name}`),
  ...['size', 'tables', 'sequences'].map((name) => `postgres_health.queries.${name}`),
];

/** Shops in addition to the two of the demo, one for each fault. */
const shops = {
  closed: 'woocommerce',
  busy: 'woocommerce',
  slow: 'woocommerce',
  spiking: 'shopify',
  broken: 'shopify',
  empty: 'shopify',
} as const;

export type Shop = keyof typeof shops;

export interface FaultEnvironmentOptions {
  /** The content of a settings file for the rules. */
  readonly settings: string;
  readonly maxSeries: number;
}

/** A demo without built-in hiccups, with Prometheus, Alertmanager and an alert sink that observe its faults. */
export class FaultEnvironment implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly #alertmanager: AlertmanagerServer;
  readonly sink: AlertSink;
  readonly watched: MonitoredDemo;
  readonly backend: OtlpBackend;
  readonly #shops: Readonly<Record<Shop, Store>>;

  private constructor(
    stack: AsyncDisposableStack,
    alertmanager: AlertmanagerServer,
    parts: Pick<FaultEnvironment, 'sink' | 'watched' | 'backend'>,
    stores: Readonly<Record<Shop, Store>>,
  ) {
    this.#stack = stack;
    this.#alertmanager = alertmanager;
    this.sink = parts.sink;
    this.watched = parts.watched;
    this.backend = parts.backend;
    this.#shops = stores;
  }

  static async start({ settings, maxSeries }: FaultEnvironmentOptions): Promise<FaultEnvironment> {
    await using stack = new AsyncDisposableStack();
    const sink = stack.use(await AlertSink.start());
    const alertmanager = stack.use(
      await AlertmanagerServer.start(sink, { groupWait: GROUP_WAIT, groupBy: '[alertname, severity, roaster]' }),
    );
    const backend = stack.use(await OtlpBackend.start());
    const watched = stack.use(
      await MonitoredDemo.start({
        demo: {
          isCalm: true,
          fullRunEveryS: 5,
          priceRunEveryS: 2,
          sidecarSettings: [
            ...SLOW_QUERIES.map((query) => `receivers.db_poller.packs.${query}.collection_interval=${SCRAPE_S}s`),
            // Makes a burst take longer than the delay of its alert.
            'receivers.db_poller.packs.scrape_pipeline.batch_rows=1000',
            `exporters.prometheus.max_series=${maxSeries}`,
            `exporters.otlp_http={endpoint: ${backend.url}, sending_queue: {queue_size: 6, num_consumers: 1}}`,
            'service.pipelines.traces.exporters=[sentry, otlp_http]',
          ],
        },
        rules: shortenedRules(settings),
        alertmanager: alertmanager.url,
      }),
    );
    const stores = await startShops(watched.demo.databaseUrl, stack);
    return new FaultEnvironment(stack.move(), alertmanager, { sink, watched, backend }, stores);
  }

  shop(name: Shop): Store {
    return this.#shops[name];
  }

  /** Starts another sidecar on the same database, which Prometheus does not scrape. */
  async startRival(): Promise<Sidecar> {
    const { databaseUrl, folder } = this.watched.demo;
    const rival = await Sidecar.start({
      env: { DATABASE_URL: databaseUrl, SIPHON_STORAGE_DIRECTORY: join(folder, 'rival') },
      logFile: join(folder, 'rival.log'),
      pollInterval: `${SCRAPE_S}s`,
      settings: [],
    });
    this.#stack.defer(async () => await rival.stop());
    return rival;
  }

  async sql<Row extends QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    return await this.withClient(async (client) => (await client.query<Row>(text, [...values])).rows);
  }

  async withClient<T>(body: (client: Client) => Promise<T>): Promise<T> {
    return await withClient(this.watched.demo.databaseUrl, body);
  }

  /** Returns what Prometheus and Alertmanager know of an alert, and what else is firing, for the report of a test that fails. */
  async stateOf(alert: string): Promise<string> {
    const { prometheus } = this.watched;
    const known = await prometheus.query(`ALERTS{alertname="${alert}"}`);
    const firing = await prometheus.query('count by (alertname, severity) (ALERTS{alertstate="firing"})');
    const received = await this.#alertmanager.stateOf(alert);
    return JSON.stringify({ known, received, firing: firing.map(({ metric }) => metric) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** Starts the shops; the stack closes them. */
export async function startShops(
  databaseUrl: string,
  stack: AsyncDisposableStack,
): Promise<Readonly<Record<Shop, Store>>> {
  const started = Object.entries(shops).map(async ([slug, platform]) => {
    const store = stack.use(await startStore({ platform, seed: slug, isCalm: true }));
    const productsEndpoint = platform === 'shopify' ? '/products.json' : '/wp-json/wc/store/v1/products';
    await registerSource(databaseUrl, { slug, name: slug, platform, baseUrl: store.url, productsEndpoint });
    return [slug, store] as const;
  });
  return Object.fromEntries(await Promise.all(started)) as Record<Shop, Store>;
}

/** An OTLP server that accepts everything, or lets its senders wait. */
export class OtlpBackend implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;
  readonly #waiting = new Set<ServerResponse>();
  #hangs = false;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(): Promise<OtlpBackend> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const backend = new OtlpBackend(server);
    server.on('request', (request, response) => {
      request.resume();
      if (backend.#hangs) backend.#waiting.add(response);
      else response.end();
    });
    return backend;
  }

  hang(hangs: boolean): void {
    this.#hangs = hangs;
    if (hangs) return;
    for (const response of this.#waiting) response.end();
    this.#waiting.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close').catch(() => undefined);
  }
}
