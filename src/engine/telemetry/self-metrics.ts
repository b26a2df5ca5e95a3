import type { Server, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { Instruments } from '../../metrics/instruments.ts';
import type { TelemetryConfig } from '../collector-config.ts';
import { componentKinds, type ComponentKind, type ComponentMetrics } from '../component.ts';
import type { Endpoint } from '../schema/fields.ts';
import { announce } from '../net/announce.ts';
import { ConnectionLimit, connectionsWithin, READERS_SHARE } from '../net/connection-limit.ts';
import type { SampleSource } from '../metric-history.ts';
import { close, formatEndpoint, listen } from '../net/http-server.ts';
import { pathOf } from '../net/request-path.ts';
import { serveInTurn } from '../net/request-turns.ts';
import { createServerFor } from '../net/tls.ts';
import type { MetricsPage } from './metrics-page.ts';
import { OwnSamples } from './own-samples.ts';
import type { ProcessObservations } from './observe-process.ts';

interface SelfMetricsSettings {
  readonly version: string;
  readonly logger: Logger;
  readonly observed?: ProcessObservations | undefined;
}

interface ServedPage {
  readonly page: MetricsPage;
  readonly endpoint: Endpoint;
}

const MAX_CONNECTIONS = 100;

/** The metrics of siphon about itself, served for Prometheus. With `level: none` nothing is loaded, counted or served. */
export class SelfMetrics {
  /** The instruments of a component: their series carry the label `<kind>="<id>"`. */
  readonly metricsOf: (kind: ComponentKind, id: string) => ComponentMetrics;
  /** The instruments of the whole process. */
  readonly process: Instruments;
  /** The values of the page, as a Prometheus would scrape them; undefined until it is served. */
  samples: SampleSource | undefined;
  readonly #served: ServedPage | undefined;
  readonly #logger: Logger;
  #server: Server | undefined;

  static async create(
    { metrics: config, resource }: Pick<TelemetryConfig, 'metrics' | 'resource'>,
    settings: SelfMetricsSettings,
  ): Promise<SelfMetrics> {
    if (config === undefined) {
      const { createNoopMeter } = await import('@opentelemetry/api');
      const uncounted = new Instruments(createNoopMeter(), componentKinds);
      const process = new Instruments(createNoopMeter(), []);
      return new SelfMetrics({ metricsOf: () => uncounted, process }, undefined, settings.logger);
    }
    const { MetricsPage } = await import('./metrics-page.ts');
    const page = new MetricsPage({ 'service.version': settings.version, ...resource }, settings.observed);
    const instruments = { metricsOf: page.metricsOf.bind(page), process: page.process };
    return new SelfMetrics(instruments, { page, ...config }, settings.logger);
  }

  private constructor(
    { metricsOf, process }: Pick<SelfMetrics, 'metricsOf' | 'process'>,
    served: ServedPage | undefined,
    logger: Logger,
  ) {
    this.metricsOf = metricsOf;
    this.process = process;
    this.#served = served;
    this.#logger = logger.child({ kind: 'telemetry', id: 'metrics' });
  }

  /** @throws Error that names the endpoint, if it cannot be bound. */
  async start(): Promise<void> {
    if (this.#served === undefined) return;
    const { page, endpoint } = this.#served;
    this.#server = await createServerFor(undefined, {}, (request, response) => {
      connections.requested(request.socket, response);
      serveInTurn(request, response, () => {
        if (pathOf(request) === '/metrics') void this.#answer(page, response);
        else response.writeHead(404).end();
      });
    });
    const max = connectionsWithin(MAX_CONNECTIONS, READERS_SHARE);
    const connections = new ConnectionLimit(this.#server, max, 'connection');
    try {
      const listening = await listen(this.#server, endpoint);
      this.samples = new OwnSamples(page, formatEndpoint(listening));
      announce(this.#logger, { endpoint: listening });
    } catch (error) {
      throw new Error(`service::telemetry::metrics: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Hides the series of all other components. */
  showOnly(components: Parameters<MetricsPage['showOnly']>[0]): void {
    this.#served?.page.showOnly(components);
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    if (this.#server !== undefined) await close(this.#server, deadline);
    await this.#served?.page.shutdown();
  }

  async #answer(page: MetricsPage, response: ServerResponse): Promise<void> {
    try {
      const text = await page.render();
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text);
    } catch (err) {
      this.#logger.error({ err }, 'Self-metrics cannot be collected');
      response.writeHead(500).end();
    }
  }
}
