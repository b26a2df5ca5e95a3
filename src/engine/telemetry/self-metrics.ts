import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { Instruments } from '../../metrics/instruments.ts';
import type { TelemetryConfig } from '../collector-config.ts';
import { componentKinds, type ComponentKind, type ComponentMetrics } from '../component.ts';
import type { Endpoint } from '../schema/fields.ts';
import { close, formatEndpoint, listen } from '../net/http-server.ts';
import type { MetricsPage } from './metrics-page.ts';

interface SelfMetricsSettings {
  readonly version: string;
  readonly logger: Logger;
  readonly uncaughtErrors?: (() => number) | undefined;
}

interface ServedPage {
  readonly page: MetricsPage;
  readonly endpoint: Endpoint;
}

/** The metrics of siphon about itself, served for Prometheus. With `level: none` nothing is loaded, counted or served. */
export class SelfMetrics {
  /** The instruments of a component: their series carry the label `<kind>="<id>"`. */
  readonly metricsOf: (kind: ComponentKind, id: string) => ComponentMetrics;
  readonly #served: ServedPage | undefined;
  readonly #logger: Logger;
  #server: Server | undefined;

  static async create(config: TelemetryConfig['metrics'], settings: SelfMetricsSettings): Promise<SelfMetrics> {
    if (config === undefined) {
      const { createNoopMeter } = await import('@opentelemetry/api');
      const uncounted = new Instruments(createNoopMeter(), componentKinds);
      return new SelfMetrics(() => uncounted, undefined, settings.logger);
    }
    const { MetricsPage } = await import('./metrics-page.ts');
    const page = new MetricsPage(settings.version, settings.uncaughtErrors);
    return new SelfMetrics((kind, id) => page.metricsOf(kind, id), { page, ...config }, settings.logger);
  }

  private constructor(metricsOf: SelfMetrics['metricsOf'], served: ServedPage | undefined, logger: Logger) {
    this.metricsOf = metricsOf;
    this.#served = served;
    this.#logger = logger.child({ kind: 'telemetry', id: 'metrics' });
  }

  /** @throws Error that names the endpoint, if it cannot be bound. */
  async start(): Promise<void> {
    if (this.#served === undefined) return;
    const { page, endpoint } = this.#served;
    this.#server = createServer((request, response) => {
      if (request.url?.split('?', 1)[0] === '/metrics') void this.#answer(page, response);
      else response.writeHead(404).end();
    });
    try {
      const bound = await listen(this.#server, endpoint);
      this.#logger.info({ endpoint: formatEndpoint(bound) }, 'Listening');
    } catch (error) {
      throw new Error(`service::telemetry::metrics: ${(error as Error).message}`, { cause: error });
    }
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
