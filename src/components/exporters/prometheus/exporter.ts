import type { Logger } from 'pino';
import type { Component, ComponentSettings, Consumer, Host, TelemetryBatch } from '../../../engine/component.ts';
import { idleKeys, naming, type PrometheusExporterConfig } from './config.ts';
import type { PageBuffer } from './page/page-buffer.ts';
import type { PageFormat } from './page/page-content.ts';
import { renderPage } from './page/render-page.ts';
import { Drops } from './points/drops.ts';
import { PointReader } from './points/point-reader.ts';
import { Recorder } from './points/recorder.ts';
import { ScrapeServer } from './server/scrape-server.ts';
import { SeriesLabels } from './names/series-labels.ts';
import { SeriesMemory } from './series/series-memory.ts';
import { TargetInfo } from './points/target-info.ts';
import { sidecarMetrics } from '../../../metrics/self.ts';
import { reportIdleKeys } from '../../../engine/net/idle-keys.ts';
import { TimeSlice } from '../../../engine/time-slice.ts';

const MAX_SWEEP_INTERVAL_MS = 30_000;

const SUFFIXES_IGNORED =
  'add_metric_suffixes has no effect, as in the stock Collector since 0.132; use translation_strategy: UnderscoreEscapingWithoutSuffixes';

/** Keeps the last value of every series and shows all of them on a scrape endpoint. */
export class PrometheusExporter implements Component, Consumer {
  readonly #config: PrometheusExporterConfig;
  readonly #logger: Logger;
  readonly #drops: Drops;
  readonly #memory: SeriesMemory;
  readonly #reader: PointReader;
  readonly #server: ScrapeServer;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(settings: ComponentSettings, config: PrometheusExporterConfig) {
    const names = naming(config);
    const openMetrics = config.enable_open_metrics;
    this.#config = config;
    this.#logger = settings.logger;
    this.#drops = new Drops(settings);
    this.#memory = new SeriesMemory({ maxSeries: config.max_series, openMetrics });
    const labels = new SeriesLabels(config, names, (change) => this.#drops.label(change));
    const recorder = new Recorder(this.#memory, labels, this.#drops);
    this.#reader = new PointReader(recorder, new TargetInfo(this.#memory, labels, names), names);
    this.#server = new ScrapeServer({
      server: config,
      logger: settings.logger,
      openMetrics,
      render: (negotiated, target) => {
        const escaping = names.utf8 ? negotiated.escaping : 'allow-utf-8';
        return this.#render({ ...negotiated, escaping, timestamps: config.send_timestamps }, target);
      },
    });
    settings.metrics.observe(sidecarMetrics.siphon_prometheus_series, (observe) => observe(this.#memory.series.live));
  }

  async start(host: Host): Promise<void> {
    if (!this.#config.add_metric_suffixes) this.#logger.warn(SUFFIXES_IGNORED);
    reportIdleKeys(this.#logger, idleKeys(this.#config));
    await this.#server.start(host);
    const intervalMs = Math.min(Math.max(this.#config.metric_expiration / 4, 10), MAX_SWEEP_INTERVAL_MS);
    this.#sweeper = setInterval(() => void this.#memory.sweep(this.#seenSinceMs()), intervalMs).unref();
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    clearInterval(this.#sweeper);
    await this.#server.stop(deadline);
  }

  /** Requests are read in steps, so that others get their turn. */
  async consume({ chunks }: TelemetryBatch): Promise<void> {
    const slice = new TimeSlice();
    for (const chunk of chunks) {
      for (const _ of this.#reader.take(chunk, now)) if (slice.isOver) await slice.pause();
    }
    this.#drops.flush();
  }

  async #render(format: PageFormat, target: PageBuffer): Promise<void> {
    const { families, series, exemplars, nativeHistograms } = this.#memory;
    const seenSinceMs = this.#seenSinceMs();
    await this.#memory.whileReading(() =>
      renderPage({ families: families.sorted(), series, exemplars, nativeHistograms, seenSinceMs }, format, target),
    );
  }

  #seenSinceMs(): number {
    return now() - this.#config.metric_expiration;
  }
}

/** A monotonic clock: setting the system time must not expire series. */
function now(): number {
  return performance.now();
}
