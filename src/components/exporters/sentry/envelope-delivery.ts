import type { ComponentSettings, DeliverySettings, Host, QueueSettings } from '../../../engine/component.ts';
import { Delivery } from '../../../engine/delivery/delivery.ts';
import { storageEvents } from '../../../engine/delivery/storage-events.ts';
import type { StorageOwner } from '../../../engine/storage.ts';
import { reasonOf } from '../../../engine/telemetry/item-counts.ts';
import type { SentryExporterConfig } from './config.ts';
import type { Dsn } from './dsn.ts';
import { decodeStored, encodeStored, spansIn, type Envelope } from './envelope.ts';
import { EnvelopeSender } from './envelope-sender.ts';
import type { Outcomes } from './outcomes.ts';
import { isRateLimit, PathIncident, RateLimitIncidents } from './rate-limit-incidents.ts';

/** With `sending_queue::enabled: false`, envelopes are sent one after another, and pipelines wait. */
export const NO_QUEUE: QueueSettings = { numConsumers: 1, queueSize: 1, sizer: 'requests', blockOnOverflow: true };

/** The delivery of envelopes to Sentry. Counts each envelope as sent or dropped. */
export class EnvelopeDelivery {
  /** True if a full queue makes the pipelines wait. */
  readonly blocksOnOverflow: boolean;
  readonly #sender: EnvelopeSender;
  readonly #settings: DeliverySettings;
  readonly #owner: StorageOwner;
  readonly #delivery: Delivery<Envelope>;

  /** @param queueName distinguishes the queues of one exporter on disk. */
  constructor(
    dsn: Dsn,
    settings: ComponentSettings,
    config: SentryExporterConfig,
    { outcomes, queueName }: { readonly outcomes: Outcomes; readonly queueName: string | undefined },
  ) {
    const { sending_queue: queue = NO_QUEUE, retry_on_failure: retry } = config;
    this.blocksOnOverflow = queue.blockOnOverflow;
    this.#owner = { kind: 'exporter', id: settings.id, ...(queueName !== undefined && { name: queueName }) };
    const { version, logger } = settings;
    const { timeout: timeoutMs, tls, proxy_url } = config;
    const proxy = proxy_url && new URL(proxy_url.reveal());
    this.#sender = new EnvelopeSender(dsn, { version, logger, timeoutMs, tls, proxy });
    const incident = new PathIncident(settings.logger, {
      failing: 'Envelopes do not reach Sentry',
      recovered: 'Envelopes reach Sentry again',
    });
    const limits = new RateLimitIncidents(settings.logger);
    const dropped = (envelope: Envelope, error: unknown): void => {
      if (isRateLimit(error)) limits.limited(envelope.category, error);
      outcomes.lost(envelope, reasonOf(error));
    };
    this.#settings = { queue: { ...queue, blockOnOverflow: true }, retry };
    // The exporter itself refuses batches when the queue is full. An envelope always waits for room.
    this.#delivery = new Delivery<Envelope>(
      this.#sender,
      this.#settings,
      { ledgerItems: spansIn, encode: encodeStored, decode: decodeStored },
      {
        sent: (envelope) => {
          limits.accepted(envelope.category);
          outcomes.sent(envelope);
        },
        dropped,
        refused: (envelope, error) => {
          dropped(envelope, error);
          incident.failed(error);
        },
        retrying: incident,
        dropping: incident,
        ...storageEvents(settings, 'traces'),
      },
    );
  }

  async start(host: Host): Promise<void> {
    await this.#sender.start();
    await this.#delivery.start(host, this.#settings, this.#owner);
  }

  get isFull(): boolean {
    return this.#delivery.isFull;
  }

  /** How full the queue is, in the unit of its sizer. */
  get size(): number {
    return this.#delivery.size;
  }

  /** The number of spans in the queue, and of those that wait for room in it. */
  get spanCount(): number {
    return this.#delivery.waitingItems + this.#delivery.blockedItems;
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
