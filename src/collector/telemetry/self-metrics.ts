import { createServer, type Server, type ServerResponse } from 'node:http';
import { createNoopMeter, type Meter } from '@opentelemetry/api';
import type { Logger } from 'pino';
import type { ComponentKind } from '../component.ts';
import type { TelemetryConfig } from '../config/collector-config.ts';
import { close, formatEndpoint, listen } from '../net/http-server.ts';
import type { MetricsPage } from './metrics-page.ts';

interface SelfMetricsSettings {
  readonly version: string;
  readonly logger: Logger;
}

/** siphon's own metrics, served for Prometheus. With `level: none` nothing is loaded, counted or served. */
export class SelfMetrics {
  readonly #config: TelemetryConfig['metrics'];
  readonly #page: MetricsPage | undefined;
  readonly #logger: Logger;
  #server: Server | undefined;

  static async create(config: TelemetryConfig['metrics'], settings: SelfMetricsSettings): Promise<SelfMetrics> {
    if (config === undefined) return new SelfMetrics(config, undefined, settings.logger);
    const { MetricsPage } = await import('./metrics-page.ts');
    return new SelfMetrics(config, new MetricsPage(settings.version), settings.logger);
  }

  private constructor(config: TelemetryConfig['metrics'], page: MetricsPage | undefined, logger: Logger) {
    this.#config = config;
    this.#page = page;
    this.#logger = logger.child({ kind: 'telemetry', id: 'metrics' });
  }

  /** Everything recorded with it carries the label `<kind>="<id>"`. */
  meter(kind: ComponentKind, id: string): Meter {
    return this.#page?.meter(kind, id) ?? createNoopMeter();
  }

  /** @throws Error that names the endpoint, if it cannot be bound. */
  async start(): Promise<void> {
    const page = this.#page;
    if (this.#config === undefined || page === undefined) return;
    this.#server = createServer((request, response) => {
      if (request.url?.split('?', 1)[0] === '/metrics') void this.#answer(page, response);
      else response.writeHead(404).end();
    });
    try {
      const endpoint = await listen(this.#server, this.#config.endpoint);
      this.#logger.info({ endpoint: formatEndpoint(endpoint) }, 'Listening');
    } catch (error) {
      throw new Error(`service::telemetry::metrics: ${(error as Error).message}`, { cause: error });
    }
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    if (this.#server !== undefined) await close(this.#server, deadline);
    await this.#page?.shutdown();
  }

  async #answer(page: MetricsPage, response: ServerResponse): Promise<void> {
    try {
      const text = await page.render();
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text);
    } catch (err) {
      this.#logger.error({ err }, 'Own metrics cannot be collected');
      response.writeHead(500).end();
    }
  }
}
