import type { Instruments } from '../../metrics/instruments.ts';
import { sidecarMetrics } from '../../metrics/self.ts';

/** Counts reloads of the configuration. Created when the first configuration is loaded. */
export class ReloadCounts {
  readonly #reloads;
  readonly #loadedAt;

  constructor(metrics: Instruments) {
    this.#reloads = metrics.counter(sidecarMetrics.siphon_config_reloads);
    this.#loadedAt = metrics.gauge(sidecarMetrics.siphon_config_last_load_timestamp_seconds);
    this.#loadedAt.record(Date.now() / 1000);
  }

  succeeded(): void {
    this.#loadedAt.record(Date.now() / 1000);
    this.#reloads.add(1, { outcome: 'succeeded' });
  }

  failed(): void {
    this.#reloads.add(1, { outcome: 'failed' });
  }
}
