import type { Logger } from 'pino';
import type {
  Component,
  ComponentSettings,
  Consumer,
  Host,
  PartialSuccess,
  TelemetryBatch,
} from '../../../engine/component.ts';
import { idleKeys, maxSeriesBytes, naming, type PrometheusExporterConfig } from './config.ts';
import type { PageBuffer } from './page/page-buffer.ts';
import type { PageFormat } from './page/page-content.ts';
import { PageSamples } from './page/page-samples.ts';
import { renderPage } from './page/render-page.ts';
import { Drops } from './points/drops.ts';
import { PointReader, type RequestSource } from './points/point-reader.ts';
import { Recorder } from './points/recorder.ts';
import { ScrapeServer } from './server/scrape-server.ts';
import { SeriesLabels } from './names/series-labels.ts';
import { SeriesMemory } from './series/series-memory.ts';
import type { Targets } from './series/targets.ts';
import { TargetInfo } from './points/target-info.ts';
import { sidecarMetrics } from '../../../metrics/self.ts';
import { reportIdleKeys } from '../../../engine/net/idle-keys.ts';
import { inSlices } from '../../../engine/time-slice.ts';

const MAX_SWEEP_INTERVAL_MS = 10_000;
/** The pause after a sweep that a scrape has stopped. */
const SWEEP_AGAIN_MS = 50;

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
  readonly #samples: PageSamples;
  #following: Disposable | undefined;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(settings: ComponentSettings, config: PrometheusExporterConfig) {
    const names = naming(config);
    const openMetrics = config.enable_open_metrics;
    this.#config = config;
    this.#logger = settings.logger;
    this.#drops = new Drops(settings);
    this.#memory = new SeriesMemory(
      { maxSeries: config.max_series, maxBytes: maxSeriesBytes(config) },
      { openMetrics, expirationMs: config.metric_expiration },
    );
    this.#samples = new PageSamples(this.#memory, { openMetrics, seenSinceMs: () => this.#seenSinceMs() });
    const labels = new SeriesLabels(config, names, (change) => this.#drops.label(change));
    const recorder = new Recorder(this.#memory, labels, this.#drops);
    this.#reader = new PointReader(
      recorder,
      { targetInfo: new TargetInfo(this.#memory, labels, names), targets: this.#memory.targets },
      names,
    );
    this.#server = new ScrapeServer({
      server: config,
      logger: settings.logger,
      openMetrics,
      render: (negotiated, target) => {
        const escaping = names.utf8 ? negotiated.escaping : 'allow-utf-8';
        return this.#render({ ...negotiated, escaping, timestamps: config.send_timestamps }, target);
      },
    });
    settings.metrics.observe(sidecarMetrics.siphon_prometheus_series, (observe) => {
      for (const [job, series] of seriesByJob(this.#memory.targets)) observe(series, { exported_job: job });
    });
  }

  async start(host: Host): Promise<void> {
    if (!this.#config.add_metric_suffixes) this.#logger.warn(SUFFIXES_IGNORED);
    reportIdleKeys(this.#logger, idleKeys(this.#config));
    const { history } = this.#config;
    if (history !== undefined) this.#following = host.extension(history).follow(this.#samples);
    await this.#server.start(host);
    const intervalMs = Math.min(Math.max(this.#config.metric_expiration / 4, 10), MAX_SWEEP_INTERVAL_MS);
    this.#sweeper = setInterval(() => void this.#sweep(), intervalMs).unref();
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    clearInterval(this.#sweeper);
    this.#following?.[Symbol.dispose]();
    this.#following = undefined;
    await this.#server.stop(deadline);
  }

  /** Requests are read in steps, so that others get their turn. */
  async consume({ chunks, isOwn }: TelemetryBatch): Promise<PartialSuccess | undefined> {
    const drops = this.#drops.begin();
    const source: RequestSource = { origin: isOwn === true ? 'own' : 'sent', drops, clock: now };
    for (const chunk of chunks) await inSlices(this.#reader.take(chunk, source));
    return this.#drops.end(drops);
  }

  /** Scrapes that follow one another must not keep the memory from being swept. */
  async #sweep(): Promise<void> {
    this.#reader.forget(this.#seenSinceMs());
    const isDone = await this.#memory.sweep(this.#seenSinceMs());
    if (!isDone) setTimeout(() => void this.#sweep(), SWEEP_AGAIN_MS).unref();
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

const SHOWN_JOBS = 10;
const OTHER_JOBS = 'other';

/** The number of series of the largest jobs, and of all others. */
function seriesByJob(targets: Targets): ReadonlyMap<string, number> {
  const { jobs, others } = targets.largestJobs(SHOWN_JOBS);
  const counts = new Map(jobs);
  return counts.set(OTHER_JOBS, (counts.get(OTHER_JOBS) ?? 0) + others);
}

/** A monotonic clock: setting the system time must not expire series. */
function now(): number {
  return performance.now();
}
