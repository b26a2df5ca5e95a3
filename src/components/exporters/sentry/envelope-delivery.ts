import type { ComponentSettings, QueueSettings } from '../../../engine/component.ts';
import { Delivery } from '../../../engine/delivery/delivery.ts';
import { observeQueues } from '../../../engine/delivery/observe-queues.ts';
import { Incident } from '../../../engine/incident.ts';
import { reasonOf } from '../../../engine/telemetry/item-counts.ts';
import type { SentryExporterConfig } from './config.ts';
import type { Dsn } from './dsn.ts';
import type { Envelope } from './envelope.ts';
import { EnvelopeSender } from './envelope-sender.ts';
import type { Outcomes } from './outcomes.ts';

/** With `sending_queue::enabled: false`, envelopes are sent one after another, and pipelines wait. */
const NO_QUEUE: QueueSettings = { numConsumers: 1, queueSize: 1, sizer: 'requests', blockOnOverflow: true };

/** The delivery of envelopes to Sentry. Counts each envelope as sent or dropped. */
export class EnvelopeDelivery {
  /** True if a full queue makes the pipelines wait. */
  readonly blocksOnOverflow: boolean;
  readonly #sender: EnvelopeSender;
  readonly #delivery: Delivery<Envelope>;

  constructor(dsn: Dsn, settings: ComponentSettings, config: SentryExporterConfig, outcomes: Outcomes) {
    const { sending_queue: queue = NO_QUEUE, retry_on_failure: retry } = config;
    this.blocksOnOverflow = queue.blockOnOverflow;
    this.#sender = new EnvelopeSender(dsn, { version: settings.version, timeoutMs: config.timeout });
    const incident = new Incident(settings.logger, {
      failing: 'Envelopes do not reach Sentry',
      recovered: 'Envelopes reach Sentry again',
    });
    const dropped = ({ category, itemCount }: Envelope, error: unknown): void => {
      outcomes.dropped(category, reasonOf(error));
      if (category === 'transaction') outcomes.dropped('span', reasonOf(error), itemCount);
    };
    // The exporter itself refuses batches when the queue is full. An envelope always waits for room.
    this.#delivery = new Delivery<Envelope>(
      this.#sender,
      { queue: { ...queue, blockOnOverflow: true }, retry },
      {
        sent: ({ category, itemCount }) => outcomes.sent(category, itemCount),
        dropped,
        refused: (envelope, error) => {
          dropped(envelope, error);
          incident.failed(error);
        },
        retrying: incident,
        dropping: incident,
      },
    );
    observeQueues(settings.metrics, new Map([['traces', this.#delivery]]), queue.queueSize);
  }

  get isFull(): boolean {
    return this.#delivery.isFull;
  }

  /** Resolves when the queue has room. Never rejects: an envelope that the queue refuses is counted as dropped. */
  async enqueue(envelope: Envelope): Promise<void> {
    await this.#delivery.consume(envelope).catch(() => undefined);
  }

  /** From now on nothing waits longer than the deadline. */
  stopBy(deadline: AbortSignal): void {
    const close = (): void => this.#sender.close();
    if (deadline.aborted) close();
    else deadline.addEventListener('abort', close, { once: true });
    this.#delivery.stopBy(deadline);
  }

  /** Accepts nothing more, and resolves when everything is sent or dropped. */
  async drain(deadline: AbortSignal): Promise<void> {
    await this.#delivery.drain(deadline);
    this.#sender.close();
    await this.#delivery.settled();
  }
}
