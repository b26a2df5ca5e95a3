/** Counts the items that each component receives, sends and loses, mostly under the stock names. */
import type { CounterOf } from '../../metrics/instruments.ts';
import type { CounterMetric } from '../../metrics/metric.ts';
import type { FailureReason } from '../../metrics/reasons.ts';
import { sidecarMetrics } from '../../metrics/self.ts';
import type { ComponentKind, ComponentSettings, Consumer, Signal, TelemetryBatch, Transport } from '../component.ts';
import { PermanentError, RetryableError } from '../errors.ts';
import type { Account } from '../account.ts';

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
  readonly #create: (signal: Signal) => CounterOf<CounterMetric, ComponentKind>;

  /** @param labels those of a receiver's counters. */
  constructor(
    prefix: ItemPrefix,
    { metrics, signals }: MetricsAndSignals,
    labels: { readonly transport?: Transport } = {},
  ) {
    this.#labels = labels;
    this.#create = (signal) => {
      const counter = metrics.counter<CounterMetric>(sidecarMetrics[`${prefix}_${ITEM_NAMES[signal]}`]);
      counter.startAtZero(labels);
      this.#counters.set(signal, counter);
      return counter;
    };
    for (const signal of signals) this.#create(signal);
  }

  add({ signal, itemCount }: Pick<TelemetryBatch, 'signal' | 'itemCount'>): void {
    // A reload may have added the signal.
    const counter = this.#counters.get(signal) ?? this.#create(signal);
    counter.add(itemCount, this.#labels);
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

/** Counts in the account of a pipeline the items that it accepts. */
export function countBeginning(next: Consumer, account: Account): Consumer {
  return {
    consume: async (batch) => {
      const partial = await next.consume(batch);
      account.accept(batch.itemCount);
      return partial;
    },
  };
}

/** Counts in the account of a pipeline the items that its exporters accept. */
export function countEnd(next: Consumer, account: Account): Consumer {
  return {
    consume: async (batch) => {
      const partial = await next.consume(batch);
      account.deliver(batch.itemCount);
      return partial;
    },
  };
}

/** Counts items that siphon accepted and then lost. */
export function countDropped({
  metrics,
  signals,
  ledger,
}: MetricsAndSignals & Pick<ComponentSettings, 'ledger'>): (
  items: Pick<TelemetryBatch, 'signal' | 'itemCount'>,
  reason: FailureReason,
) => void {
  const counter = metrics.counter(sidecarMetrics.siphon_dropped_items);
  for (const signal of signals) counter.startAtZero({ otel_signal: signal });
  return ({ signal, itemCount }, reason) => {
    counter.add(itemCount, { otel_signal: signal, reason });
    ledger.account(signal).drop(itemCount, reason);
  };
}

/** The label of a failure. An error that is not one of the two errors of the contract is a defect. */
export function reasonOf(error: unknown): FailureReason {
  return error instanceof PermanentError || error instanceof RetryableError ? error.code : 'internal';
}

function countOutcome(next: Consumer, succeeded: ItemCounter, failed: ItemCounter): Consumer {
  return {
    consume: async (batch) => {
      try {
        const partial = await next.consume(batch);
        succeeded.add(batch);
        return partial;
      } catch (error) {
        failed.add(batch);
        throw error;
      }
    },
  };
}
