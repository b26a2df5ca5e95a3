import type { ComponentMetrics } from '../../../engine/component.ts';
import { sidecarMetrics } from '../../../metrics/self.ts';
import type { Verdict } from './policies/policy.ts';
import type { WaitingTraces } from './waiting-traces.ts';

/** Why a trace is decided before its time. */
export type EarlyReason = 'num_traces' | 'max_size' | 'shutdown';

/** Counts decisions, under the names of the stock Collector where it has them. */
export class SamplingCounts {
  readonly #decisions;
  readonly #late;
  readonly #early;
  readonly #tooLarge;

  constructor(metrics: ComponentMetrics, traces: WaitingTraces) {
    this.#decisions = metrics.counter(sidecarMetrics.otelcol_processor_tail_sampling_global_count_traces_sampled);
    this.#late = metrics.counter(sidecarMetrics.otelcol_processor_tail_sampling_early_releases_from_cache_decision);
    this.#early = metrics.counter(sidecarMetrics.siphon_tail_sampling_early_decisions);
    this.#tooLarge = metrics.counter(sidecarMetrics.otelcol_processor_tail_sampling_traces_dropped_too_large);
    metrics.observe(sidecarMetrics.otelcol_processor_tail_sampling_sampling_traces_on_memory, (observe) =>
      observe(traces.count),
    );
    metrics.observe(sidecarMetrics.siphon_tail_sampling_held_bytes, (observe) => observe(traces.spans.sizeBytes));
  }

  decided(verdict: Verdict): void {
    this.#decisions.add(1, { sampled: verdict === 'sampled' ? 'true' : 'false', decision: verdict });
  }

  /** A span arrived after the decision about its trace. */
  late(isSampled: boolean): void {
    this.#late.add(1, { sampled: isSampled ? 'true' : 'false' });
  }

  early(reason: EarlyReason): void {
    this.#early.add(1, { reason });
  }

  tooLarge(): void {
    this.#tooLarge.add(1, {});
  }
}
