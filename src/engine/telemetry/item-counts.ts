/** Counts the items that each component receives, sends and loses, mostly under the stock names. */
import type { CounterOf } from '../../metrics/instruments.ts';
import type { CounterMetric } from '../../metrics/metric.ts';
import type { FailureReason } from '../../metrics/reasons.ts';
import { sidecarMetrics } from '../../metrics/self.ts';
import type { ComponentKind, ComponentSettings, Consumer, Signal, TelemetryBatch, Transport } from '../component.ts';
import { PermanentError, RetryableError } from '../errors.ts';

/** The items of each signal in the stock names. */
const ITEM_NAMES = { traces: 'spans', metrics: 'metric_points', logs: 'log_records' } as const;

/** The names that have a counter for each signal, for example `otelcol_exporter_sent`. */
type ItemPrefix<Name = keyof typeof sidecarMetrics> = Name extends `${infer Prefix}_spans`
  ? `${Prefix}_metric_points` | `${Prefix}_log_records` extends keyof typeof sidecarMetrics
    ? Prefix
    : never
  : never;

type MetricsAndSignals = Pick<ComponentSettings, 'metrics' | 'signals'>;

/** Adds the items of batches to `<prefix>_<spans|metric_points|log_records>`. */
export class ItemCounter {
  readonly #counters = new Map<Signal, CounterOf<CounterMetric, ComponentKind>>();
  readonly #labels: { readonly transport?: Transport };

  /** @param labels those of a receiver's counters. */
  constructor(
    prefix: ItemPrefix,
    { metrics, signals }: MetricsAndSignals,
    labels: { readonly transport?: Transport } = {},
  ) {
    this.#labels = labels;
    for (const signal of signals) {
      const counter = metrics.counter<CounterMetric>(sidecarMetrics[`${prefix}_${ITEM_NAMES[signal]}`]);
      counter.startAtZero(labels);
      this.#counters.set(signal, counter);
    }
  }

  add({ signal, itemCount }: Pick<TelemetryBatch, 'signal' | 'itemCount'>): void {
    this.#counters.get(signal)?.add(itemCount, this.#labels);
  }
}

/** Counts what a receiver sends to the pipelines, by whether they accepted it. */
export function countAccepted(next: Consumer, transport: Transport, settings: MetricsAndSignals): Consumer {
  const accepted = new ItemCounter('otelcol_receiver_accepted', settings, { transport });
  const refused = new ItemCounter('otelcol_receiver_refused', settings, { transport });
  return countOutcome(next, accepted, refused);
}

type ProcessorItems = (typeof sidecarMetrics)[`otelcol_processor_${'incoming' | 'outgoing'}_items`];

/** Counts what a processor receives or emits, accepted or not. */
export function countItems(next: Consumer, metric: ProcessorItems, { metrics, signals }: MetricsAndSignals): Consumer {
  const counter = metrics.counter(metric);
  for (const signal of signals) counter.startAtZero({ otel_signal: signal });
  return {
    consume: (batch) => {
      counter.add(batch.itemCount, { otel_signal: batch.signal });
      return next.consume(batch);
    },
  };
}

/** Counts items that siphon accepted and then lost. */
export function countDropped({
  metrics,
  signals,
}: MetricsAndSignals): (batch: TelemetryBatch, reason: FailureReason) => void {
  const counter = metrics.counter(sidecarMetrics.siphon_dropped_items);
  for (const signal of signals) counter.startAtZero({ otel_signal: signal });
  return ({ signal, itemCount }, reason) => counter.add(itemCount, { otel_signal: signal, reason });
}

/** The label of a failure. An error that is not one of the two errors of the contract is a defect. */
export function reasonOf(error: unknown): FailureReason {
  return error instanceof PermanentError || error instanceof RetryableError ? error.code : 'internal';
}

function countOutcome(next: Consumer, succeeded: ItemCounter, failed: ItemCounter): Consumer {
  return {
    consume: async (batch) => {
      try {
        await next.consume(batch);
      } catch (error) {
        failed.add(batch);
        throw error;
      }
      succeeded.add(batch);
    },
  };
}
