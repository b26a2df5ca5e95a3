import type { Counter } from '@opentelemetry/api';
import type { Component, ComponentSettings, Consumer, TelemetryBatch } from '../../collector/component.ts';
import type { PrometheusExporterConfig } from './config.ts';
import { MetricsIntake, type DropReason } from './metrics-intake.ts';
import { Page } from './page.ts';
import { ScrapeServer } from './scrape-server.ts';

/** Keeps the last value of every series and shows all of them on a scrape endpoint. */
export class PrometheusExporter implements Component, Consumer {
  readonly #settings: ComponentSettings;
  readonly #config: PrometheusExporterConfig;
  readonly #intake: MetricsIntake;
  readonly #server: ScrapeServer;
  readonly #dropped: Counter;
  readonly #named = new Set<DropReason>();
  #sweep: NodeJS.Timeout | undefined;
  #rendering = false;
  #lastPageBytes = 0;

  constructor(settings: ComponentSettings, config: PrometheusExporterConfig) {
    this.#settings = settings;
    this.#config = config;
    this.#intake = new MetricsIntake(config, (reason, metric) => this.#drop(reason, metric));
    this.#server = new ScrapeServer(settings.logger, () => this.#render());
    this.#dropped = settings.meter.createCounter('siphon_prometheus_dropped_points', {
      description: 'Data points that are not on the scrape page, by reason',
    });
  }

  async start(): Promise<void> {
    await this.#server.start(this.#config.endpoint);
    const intervalMs = Math.min(this.#config.metric_expiration / 4, 30_000);
    this.#sweep = setInterval(() => this.#expire(), Math.max(intervalMs, 10)).unref();
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    clearInterval(this.#sweep);
    await this.#server.stop(deadline);
  }

  consume(batch: TelemetryBatch): Promise<void> {
    const nowMs = Date.now();
    for (const chunk of batch.chunks) this.#intake.take(chunk, nowMs);
    return Promise.resolve();
  }

  async #render(): Promise<Buffer> {
    this.#expireValues();
    this.#rendering = true;
    try {
      const page = new Page(this.#intake.store, this.#config.send_timestamps, this.#lastPageBytes);
      const families = [...this.#intake.families.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
      const body = await page.render(families);
      this.#lastPageBytes = body.length;
      return body;
    } finally {
      this.#rendering = false;
    }
  }

  #expire(): void {
    if (!this.#rendering) this.#intake.expire(Date.now() - this.#config.metric_expiration);
  }

  #expireValues(): void {
    this.#intake.store.expire(Date.now() - this.#config.metric_expiration);
  }

  #drop(reason: DropReason, metric: string): void {
    this.#dropped.add(1, { exporter: this.#settings.id, reason });
    if (this.#named.has(reason)) return;
    this.#named.add(reason);
    this.#settings.logger.warn({ reason, metric }, 'Data points are not shown; more of the same are only counted');
  }
}
