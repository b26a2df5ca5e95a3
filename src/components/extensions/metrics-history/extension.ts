import type { Component, ComponentSettings, Host } from '../../../engine/component.ts';
import { Incident } from '../../../engine/incident.ts';
import type { MetricHistory, MetricMetadata, SampleSource } from '../../../engine/metric-history.ts';
import { reportIdleKeys } from '../../../engine/net/idle-keys.ts';
import { sidecarMetrics } from '../../../metrics/self.ts';
import { evaluationSettings, idleKeys, type MetricsHistoryConfig } from './config.ts';
import type { ApiServer } from './api/api-server.ts';
import type { Notifier } from './notify/notifier.ts';
import type { ReadPackRules } from './rules/read-rules.ts';
import type { Rules } from './rules/rules.ts';
import type { SavedAlerts } from './saved/saved-alerts.ts';
import type { SavedSamples } from './saved/saved-samples.ts';
import { History } from './store/history.ts';

/** Records the series of exporters and of the collector itself, and answers queries about them. */
export class MetricsHistoryExtension implements Component, MetricHistory {
  readonly #config: MetricsHistoryConfig;
  readonly #history: History;
  readonly #sources = new Set<SampleSource>();
  readonly #settings: ComponentSettings;
  #server: ApiServer | undefined;
  #offered: Disposable | undefined;
  readonly #readPackRules: ReadPackRules;
  #rules: Rules | undefined;
  #notifier: Notifier | undefined;
  /** Undefined without `storage`. */
  #savedAlerts: SavedAlerts | undefined;
  #savedSamples: SavedSamples | undefined;
  readonly #failures: Incident;
  #timer: NodeJS.Timeout | undefined;
  /** The moment that is being recorded. */
  #recording: Promise<void> | undefined;

  constructor(settings: ComponentSettings, config: MetricsHistoryConfig, readPackRules: ReadPackRules) {
    this.#config = config;
    this.#readPackRules = readPackRules;
    this.#settings = settings;

    this.#history = new History({ retentionMs: config.retention, maxBytes: config.max_bytes });
    this.#failures = new Incident(settings.logger, {
      failing: 'Metrics are not recorded',
      recovered: 'Metrics are recorded again',
    });
    const { metrics } = settings;
    metrics.observe(sidecarMetrics.siphon_history_series, (observe) => observe(this.#history.series, {}));
    metrics.observe(sidecarMetrics.siphon_history_left_out_series, (observe) => observe(this.#history.leftOut, {}));
    metrics.observe(sidecarMetrics.siphon_history_bytes, (observe) => observe(this.#history.sizeBytes, {}));
    metrics.observe(sidecarMetrics.siphon_history_length_seconds, (observe) => {
      const { fromMs = 0, toMs = 0 } = this.#history.time ?? {};
      observe((toMs - fromMs) / 1000, {});
    });
  }

  async start(host: Host): Promise<void> {
    reportIdleKeys(this.#settings.logger, idleKeys(this.#config));
    if (host.ownSamples !== undefined) this.#sources.add(host.ownSamples);
    // The parser takes memory that a sidecar without a history does not need.
    const [{ HistoryApi }, { ApiServer }] = await Promise.all([
      import('./api/history-api.ts'),
      import('./api/api-server.ts'),
    ]);
    this.#rules = await this.#startedRules();
    await this.#restoreSamples(host);
    await this.#restoreAlerts(host);
    const api = new HistoryApi(this.#config, this.#settings, {
      history: this.#history,
      source: this.#rules?.source ?? this.#history,
      rules: this.#rules,
      alertmanagers: await this.#alertmanagers(),
      metadata: () => [...this.#sources].flatMap((source): readonly MetricMetadata[] => source.metadata()),
    });
    this.#server = new ApiServer(this.#config, this.#settings.logger, api);
    await this.#server.start(host);
    this.#offered = host.queryApis.offer(api);
    this.#timer = setInterval(() => this.#tick(), this.#config.interval).unref();
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    clearInterval(this.#timer);
    this.#offered?.[Symbol.dispose]();
    await this.#server?.stop(deadline);
    await this.#recording;
    await this.#rules?.settled();
    await this.#notifier?.close(deadline);
    await this.#savedAlerts?.close();
    await this.#savedSamples?.close();
  }

  follow(source: SampleSource): Disposable {
    this.#sources.add(source);
    return { [Symbol.dispose]: () => void this.#sources.delete(source) };
  }

  async #alertmanagers(): Promise<readonly string[]> {
    const { alertmanagers = [] } = this.#config.rules?.notify ?? {};
    const { shownAddress } = await import('./notify/shown-address.ts');
    return alertmanagers.flatMap(({ url }) => shownAddress(url) ?? []);
  }

  async #startedRules(): Promise<Rules | undefined> {
    const { rules, subjects, interval, retention } = this.#config;
    if (rules === undefined) return undefined;
    const [{ readRules }, { Rules: RunningRules }] = await Promise.all([
      import('./rules/read-rules.ts'),
      import('./rules/rules.ts'),
    ]);
    const reading = { readPackRules: this.#readPackRules, subjects, historyIntervalMs: interval };
    const groups = await readRules(rules, reading);
    const evaluation = evaluationSettings(this.#config);
    const limits = { retentionMs: retention, maxBytes: rules.max_bytes, limit: rules.limit };
    const notifier =
      rules.notify && (await (await import('./notify/notifier.ts')).Notifier.open(rules.notify, this.#settings));
    this.#notifier = notifier;
    return new RunningRules(
      groups,
      this.#history,
      { evaluation, ...limits },
      {
        ...this.#settings,
        evaluated: (alerts) => {
          notifier?.notify(alerts);
          this.#savedAlerts?.save();
        },
      },
    );
  }

  async #restoreSamples(host: Host): Promise<void> {
    const { storage } = this.#config;
    if (storage === undefined) return;
    const { SavedSamples: Saved } = await import('./saved/saved-samples.ts');
    const { id, logger } = this.#settings;
    const owner = { kind: 'extension', id, name: 'samples' };
    const histories = new Map([['samples', this.#history], ...(this.#rules?.histories ?? [])]);
    this.#savedSamples = new Saved(async () => await host.extension(storage).space(owner), { histories, logger });
    await this.#savedSamples.start();
  }

  async #restoreAlerts(host: Host): Promise<void> {
    const { storage, lookback } = this.#config;
    if (storage === undefined || this.#rules === undefined) return;
    const { SavedAlerts: Saved } = await import('./saved/saved-alerts.ts');
    const { id, logger } = this.#settings;
    this.#savedAlerts = new Saved(async () => await host.extension(storage).space({ kind: 'extension', id }), {
      rules: this.#rules,
      notifier: this.#notifier,
      logger,
    });
    await this.#savedAlerts.restore(lookback);
  }

  /** A moment that takes longer than the interval leaves the next one out. */
  #tick(): void {
    this.#recording ??= this.#record().finally(() => (this.#recording = undefined));
  }

  /** Like Prometheus, it takes nothing from before the last moment, if the clock is set back. */
  async #record(): Promise<void> {
    const nowMs = Date.now();
    const lastMs = this.#history.time?.toMs ?? -Infinity;
    try {
      if (nowMs <= lastMs) throw new Error('the clock was set back to before the last samples');
      const results = await this.#history.record(nowMs, (sink) =>
        Promise.allSettled([...this.#sources].map(async (source) => await source.sample(sink))),
      );
      const failed = results.find(({ status }) => status === 'rejected');
      if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
      this.#failures.succeeded();
      this.#rules?.tick(nowMs);
    } catch (error) {
      this.#failures.failed(error);
    }
  }
}
