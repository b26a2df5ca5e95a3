/**
 * What the engine counts around every component, under the stock names. Counters are there with 0 from the start, so
 * that a rate sees the first failure.
 */
import type { Attributes, Counter } from '@opentelemetry/api';
import type { FailureReason } from '../../metrics/failure-reasons.ts';
import type { ComponentSettings, Consumer, Signal, TelemetryBatch } from '../component.ts';
import { PermanentError, RetryableError } from '../errors.ts';

/** How the stock names call the items of a signal. */
const ITEM_NAMES: Readonly<Record<Signal, string>> = {
  traces: 'spans',
  metrics: 'metric_points',
  logs: 'log_records',
};

type MeterAndSignals = Pick<ComponentSettings, 'meter' | 'signals'>;

/** Adds the items of batches to `<prefix>_<spans|metric_points|log_records>`. */
export class ItemCounter {
  readonly #counters = new Map<Signal, Counter>();
  readonly #attributes: Attributes;

  constructor(prefix: string, { meter, signals }: MeterAndSignals, attributes: Attributes = {}) {
    this.#attributes = attributes;
    for (const signal of signals) {
      const counter = meter.createCounter(`${prefix}_${ITEM_NAMES[signal]}`);
      counter.add(0, attributes);
      this.#counters.set(signal, counter);
    }
  }

  add({ signal, itemCount }: Pick<TelemetryBatch, 'signal' | 'itemCount'>): void {
    this.#counters.get(signal)?.add(itemCount, this.#attributes);
  }
}

/** Counts what a receiver hands on, by whether the pipelines took it. */
export function countAccepted(next: Consumer, transport: string, settings: MeterAndSignals): Consumer {
  const accepted = new ItemCounter('otelcol_receiver_accepted', settings, { transport });
  const refused = new ItemCounter('otelcol_receiver_refused', settings, { transport });
  return countOutcome(next, accepted, refused);
}

/** Counts what an exporter is given, by whether it was sent in the end. */
export function countSent(next: Consumer, settings: MeterAndSignals): Consumer {
  const sent = new ItemCounter('otelcol_exporter_sent', settings);
  const failed = new ItemCounter('otelcol_exporter_send_failed', settings);
  return countOutcome(next, sent, failed);
}

/** Counts what passes this place, whatever becomes of it. */
export function countPassing(next: Consumer, name: string, { meter, signals }: MeterAndSignals): Consumer {
  const counter = meter.createCounter(name);
  for (const signal of signals) counter.add(0, { otel_signal: signal });
  return {
    consume: (batch) => {
      counter.add(batch.itemCount, { otel_signal: batch.signal });
      return next.consume(batch);
    },
  };
}

/** That may be gone with the next batch. What lasts is counted for every batch, and a rate sees the second. */
const passingFailures: readonly FailureReason[] = [
  'queue_full',
  'too_large',
  'memory_limit',
  'network_error',
  'rate_limited',
  'http_5xx',
  'internal',
];

/** Counts items that siphon had accepted and then lost. */
export function countDropped({
  meter,
  signals,
}: MeterAndSignals): (batch: TelemetryBatch, reason: FailureReason) => void {
  const counter = meter.createCounter('siphon_dropped_items', {
    description: 'Items that had been accepted and were then lost',
  });
  for (const signal of signals) {
    for (const reason of passingFailures) counter.add(0, { otel_signal: signal, reason });
  }
  return ({ signal, itemCount }, reason) => counter.add(itemCount, { otel_signal: signal, reason });
}

/** The label of a failure; what is neither of the two errors of the contract is a defect. */
export function reasonOf(error: unknown): FailureReason {
  return error instanceof PermanentError || error instanceof RetryableError ? error.code : 'internal';
}

function countOutcome(next: Consumer, taken: ItemCounter, failed: ItemCounter): Consumer {
  return {
    consume: async (batch) => {
      try {
        await next.consume(batch);
      } catch (error) {
        failed.add(batch);
        throw error;
      }
      taken.add(batch);
    },
  };
}
