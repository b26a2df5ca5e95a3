import type { ComponentSettings } from '../../../engine/component.ts';
import type { QueueSettings } from '../../../engine/delivery/delivery-settings.ts';
import { observeQueues } from '../../../engine/delivery/observe-queues.ts';
import { Retry } from '../../../engine/delivery/retry.ts';
import { SendingQueue } from '../../../engine/delivery/sending-queue.ts';
import { Incident } from '../../../engine/telemetry/incident.ts';
import { reasonOf } from '../../../engine/telemetry/item-counts.ts';
import type { SentryExporterConfig } from './config.ts';
import type { Outcomes } from './outcomes.ts';
import type { Dsn } from './dsn.ts';
import type { Envelope } from './envelope.ts';
import { EnvelopeSender } from './envelope-sender.ts';

/** With `sending_queue::enabled: false`, one after another, and pipelines wait. */
const NO_QUEUE: QueueSettings = { numConsumers: 1, queueSize: 1, sizer: 'requests', blockOnOverflow: true };

/** The queue and the retry around the sender of envelopes. */
export class EnvelopeDelivery {
  readonly #queueSettings: QueueSettings;
  readonly #outcomes: Outcomes;
  readonly #sender: EnvelopeSender;
  readonly #retry: Retry<Envelope> | undefined;
  readonly #queue: SendingQueue<Envelope>;
  readonly #incident: Incident;

  constructor(dsn: Dsn, settings: ComponentSettings, config: SentryExporterConfig, outcomes: Outcomes) {
    this.#outcomes = outcomes;
    this.#queueSettings = config.sending_queue ?? NO_QUEUE;
    this.#sender = new EnvelopeSender(dsn, { version: settings.version, timeoutMs: config.timeout });
    this.#incident = new Incident(settings.logger, {
      failing: 'Envelopes do not reach Sentry',
      recovered: 'Envelopes reach Sentry again',
    });
    this.#retry = config.retry_on_failure && new Retry(this.#sender, config.retry_on_failure, this.#incident);
    const next = this.#retry ?? this.#sender;
    const send = async (envelope: Envelope): Promise<void> => {
      await next.consume(envelope);
      this.#incident.succeeded();
      outcomes.sent(envelope.category, envelope.itemCount);
    };
    const queue = { ...this.#queueSettings, blockOnOverflow: true };
    this.#queue = new SendingQueue({ consume: send }, queue, (envelope, error) => this.#drop(envelope, error));
    observeQueues(settings.metrics, new Map([['traces', this.#queue]]), queue.queueSize);
  }

  get blocksOnOverflow(): boolean {
    return this.#queueSettings.blockOnOverflow;
  }

  get isFull(): boolean {
    return this.#queue.isFull;
  }

  /** Resolves when there is room. Never rejects: what the queue refuses is counted as dropped. */
  async enqueue(envelope: Envelope): Promise<void> {
    try {
      await this.#queue.consume(envelope);
    } catch (error) {
      this.#drop(envelope, error);
    }
  }

  /** From now on nothing waits longer than the deadline. */
  stopBy(deadline: AbortSignal): void {
    const close = (): void => this.#sender.close();
    if (deadline.aborted) close();
    else deadline.addEventListener('abort', close, { once: true });
    this.#retry?.stopBy(deadline);
  }

  /** Takes nothing more, and resolves when everything is sent or dropped. */
  async drain(deadline: AbortSignal): Promise<void> {
    await this.#queue.drain(deadline);
    this.#sender.close();
    await this.#queue.settled();
  }

  #drop({ category, itemCount }: Envelope, error: unknown): void {
    const reason = reasonOf(error);
    this.#outcomes.dropped(category, reason);
    if (category === 'transaction') this.#outcomes.dropped('span', reason, itemCount);
    this.#incident.failed(error);
  }
}
