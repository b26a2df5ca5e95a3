import type { Component, ComponentSettings, Consumer, Host, Signal, TelemetryBatch } from '../component.ts';
import { Incident } from '../telemetry/incident.ts';
import { countDropped, countSent, ItemCounter, reasonOf } from '../telemetry/item-counts.ts';
import type { DeliverySettings, QueueSettings } from './delivery-settings.ts';
import { observeQueues } from './observe-queues.ts';
import { Retry } from './retry.ts';
import { SendingQueue } from './sending-queue.ts';

/** An exporter as the pipelines see it: queue, then counting, then retry, then its own single attempt. */
export class Delivery implements Component, Consumer {
  readonly #exporter: Component & Consumer;
  readonly #settings: ComponentSettings;
  readonly #retry: Retry | undefined;
  readonly #send: Consumer;
  /** One for each signal, as in the stock Collector, so that a flood of one does not push out another. */
  readonly #queues = new Map<Signal, SendingQueue>();
  readonly #enqueueFailed: ItemCounter | undefined;

  constructor(exporter: Component & Consumer, delivery: DeliverySettings, settings: ComponentSettings) {
    const { queue, retry, countsItself = false } = delivery;
    this.#exporter = exporter;
    this.#settings = settings;
    this.#retry = retry && new Retry(exporter, retry, retryIncident(settings));
    const next = this.#retry ?? exporter;
    this.#send = countsItself ? next : countSent(next, settings);
    if (queue === undefined) return;
    this.#enqueueFailed = new ItemCounter('otelcol_exporter_enqueue_failed', settings);
    this.#createQueues(queue);
  }

  async start(host: Host): Promise<void> {
    await this.#exporter.start(host);
  }

  async consume(batch: TelemetryBatch): Promise<void> {
    const queue = this.#queues.get(batch.signal);
    if (queue === undefined) return await this.#send.consume(batch);
    try {
      await queue.consume(batch);
    } catch (error) {
      this.#enqueueFailed?.add(batch);
      throw error;
    }
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    this.#retry?.stopBy(deadline);
    const queues = [...this.#queues.values()];
    await Promise.all(queues.map((queue) => queue.drain(deadline)));
    // Together: an exporter that hangs must not keep what it holds from being counted as dropped.
    await Promise.all([this.#exporter.shutdown(deadline), ...queues.map((queue) => queue.settled())]);
  }

  #createQueues(queue: QueueSettings): void {
    const { metrics, logger, signals } = this.#settings;
    const dropped = countDropped(this.#settings);
    const incident = new Incident(logger, { failing: 'Telemetry is dropped', recovered: 'Telemetry is sent again' });
    const next = { consume: (batch: TelemetryBatch) => this.#send.consume(batch).then(() => incident.succeeded()) };
    const onDropped = (batch: TelemetryBatch, error: unknown): void => {
      dropped(batch, reasonOf(error));
      incident.failed(error);
    };
    for (const signal of signals) this.#queues.set(signal, new SendingQueue(next, queue, onDropped));
    observeQueues(metrics, this.#queues, queue.queueSize);
  }
}

function retryIncident({ logger }: ComponentSettings): Incident {
  return new Incident(logger, { failing: 'Sending fails and will be tried again', recovered: 'Sending works again' });
}
