import type {
  Component,
  ComponentSettings,
  Consumer,
  DeliverySettings,
  Host,
  PartialSuccess,
  Signal,
  TelemetryBatch,
} from '../component.ts';
import { Incident } from '../incident.ts';
import { countDropped, ItemCounter, reasonOf } from '../telemetry/item-counts.ts';
import { Delivery, type DeliveryEvents, type ItemForm } from './delivery.ts';
import { storageEvents } from './storage-events.ts';
import { observeQueues } from './observe-queues.ts';

/** An exporter as the pipelines see it: batches go through a queue and a retry, and are counted under the stock names. */
export class ExporterDelivery implements Component, Consumer {
  readonly #exporter: Component & Consumer;
  readonly #settings: DeliverySettings;
  readonly #id: string;
  /** One for each signal, as in the stock Collector, so that a flood of one signal does not push out another. */
  readonly #deliveries: ReadonlyMap<Signal, Delivery<TelemetryBatch>>;

  constructor(exporter: Component & Consumer, delivery: DeliverySettings, settings: ComponentSettings) {
    this.#exporter = exporter;
    const events = (signal: Signal): DeliveryEvents<TelemetryBatch> => batchEvents(delivery, settings, signal);
    this.#settings = delivery;
    this.#id = settings.id;
    this.#deliveries = new Map(
      [...settings.signals].map(
        (signal) => [signal, new Delivery(exporter, delivery, formOf(signal), events(signal))] as const,
      ),
    );
    for (const [signal, waiting] of this.#deliveries) settings.ledger.holds(signal, () => waiting.waitingItems);
    if (delivery.queue !== undefined) observeQueues(settings.metrics, this.#deliveries, delivery.queue.queueSize);
  }

  async start(host: Host): Promise<void> {
    await this.#exporter.start(host);
    for (const [signal, delivery] of this.#deliveries) {
      await delivery.start(host, this.#settings, { kind: 'exporter', id: this.#id, name: signal });
    }
  }

  async consume(batch: TelemetryBatch): Promise<PartialSuccess | void> {
    return await (this.#deliveries.get(batch.signal) ?? this.#exporter).consume(batch);
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    const deliveries = [...this.#deliveries.values()];
    for (const delivery of deliveries) delivery.stopBy(deadline);
    await Promise.all(deliveries.map((delivery) => delivery.drain(deadline)));
    // Together: what a hanging exporter holds must still be counted as dropped.
    await Promise.all([this.#exporter.shutdown(deadline), ...deliveries.map((delivery) => delivery.settled())]);
  }
}

function batchEvents(
  { queue }: DeliverySettings,
  settings: ComponentSettings,
  signal: Signal,
): DeliveryEvents<TelemetryBatch> {
  const { logger, ledger } = settings;
  const sent = new ItemCounter('otelcol_exporter_sent', settings);
  const failed = new ItemCounter('otelcol_exporter_send_failed', settings);
  const counted = {
    accepted: ({ itemCount }: TelemetryBatch) => ledger.account(signal).accept(itemCount),
    sent: (batch: TelemetryBatch) => {
      sent.add(batch);
      ledger.account(signal).deliver(batch.itemCount);
    },
    failed: (batch: TelemetryBatch) => failed.add(batch),
    retrying: new Incident(logger, { failing: 'Sending fails, will retry', recovered: 'Sending works again' }),
    dropping: new Incident(logger, { failing: 'Telemetry is dropped', recovered: 'Telemetry is sent again' }),
    ...storageEvents(settings, signal),
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

/** One request per batch: its chunks together are a valid request. */
function formOf(signal: Signal): ItemForm<TelemetryBatch> {
  return {
    ledgerItems: ({ itemCount }) => itemCount,
    encode: ({ chunks }) => chunks,
    decode: (bytes, itemCount) => ({ signal, chunks: [bytes], itemCount, sizeBytes: bytes.length }),
  };
}
