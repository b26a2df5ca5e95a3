import type {
  Component,
  ComponentSettings,
  Consumer,
  DeliverySettings,
  Host,
  Signal,
  TelemetryBatch,
} from '../component.ts';
import { Incident } from '../incident.ts';
import { countDropped, ItemCounter, reasonOf } from '../telemetry/item-counts.ts';
import { Delivery, type DeliveryEvents } from './delivery.ts';
import { observeQueues } from './observe-queues.ts';

/** An exporter as the pipelines see it: batches go through a queue and a retry, and are counted under the stock names. */
export class ExporterDelivery implements Component, Consumer {
  readonly #exporter: Component & Consumer;
  /** One for each signal, as in the stock Collector, so that a flood of one signal does not push out another. */
  readonly #deliveries: ReadonlyMap<Signal, Delivery<TelemetryBatch>>;

  constructor(exporter: Component & Consumer, delivery: DeliverySettings, settings: ComponentSettings) {
    this.#exporter = exporter;
    const events = batchEvents(delivery, settings);
    this.#deliveries = new Map(
      [...settings.signals].map((signal) => [signal, new Delivery(exporter, delivery, events)] as const),
    );
    if (delivery.queue !== undefined) observeQueues(settings.metrics, this.#deliveries, delivery.queue.queueSize);
  }

  async start(host: Host): Promise<void> {
    await this.#exporter.start(host);
  }

  async consume(batch: TelemetryBatch): Promise<void> {
    await (this.#deliveries.get(batch.signal) ?? this.#exporter).consume(batch);
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    const deliveries = [...this.#deliveries.values()];
    for (const delivery of deliveries) delivery.stopBy(deadline);
    await Promise.all(deliveries.map((delivery) => delivery.drain(deadline)));
    // Together: what a hanging exporter holds must still be counted as dropped.
    await Promise.all([this.#exporter.shutdown(deadline), ...deliveries.map((delivery) => delivery.settled())]);
  }
}

function batchEvents({ queue }: DeliverySettings, settings: ComponentSettings): DeliveryEvents<TelemetryBatch> {
  const { logger } = settings;
  const sent = new ItemCounter('otelcol_exporter_sent', settings);
  const failed = new ItemCounter('otelcol_exporter_send_failed', settings);
  const counted = {
    sent: (batch: TelemetryBatch) => sent.add(batch),
    failed: (batch: TelemetryBatch) => failed.add(batch),
    retrying: new Incident(logger, { failing: 'Sending fails, will retry', recovered: 'Sending works again' }),
    dropping: new Incident(logger, { failing: 'Telemetry is dropped', recovered: 'Telemetry is sent again' }),
  };
  if (queue === undefined) return { ...counted, dropped: () => undefined };
  const refused = new ItemCounter('otelcol_exporter_enqueue_failed', settings);
  const drop = countDropped(settings);
  return {
    ...counted,
    refused: (batch) => refused.add(batch),
    dropped: (batch, error) => drop(batch, reasonOf(error)),
  };
}
