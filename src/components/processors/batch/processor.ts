import type { Logger } from 'pino';
import { sidecarMetrics } from '../../../metrics/self.ts';
import type { Component, ComponentSettings, Consumer, TelemetryBatch } from '../../../engine/component.ts';
import { RetryableError } from '../../../engine/errors.ts';
import { aborted } from '../../../engine/aborted.ts';
import { Incident } from '../../../engine/incident.ts';
import { joinBatches } from '../../../engine/otlp/items.ts';
import { inSlices, TimeSlice } from '../../../engine/time-slice.ts';
import { countDropped, reasonOf } from '../../../engine/telemetry/item-counts.ts';
import { reportIdleKeys } from '../../../engine/net/idle-keys.ts';
import { idleKeys, type BatchConfig } from './config.ts';
import { splitBatch } from './split-batch.ts';

type Trigger = 'size' | 'timeout';

/**
 * Joins small batches into large ones. As in the stock Collector, a batch counts as accepted as soon as it is held
 * here. If the next consumer refuses it, it is lost and counted with the reason. One batch is sent at a time; if the
 * next one is full meanwhile, senders wait.
 */
export class BatchProcessor implements Component, Consumer {
  readonly #config: BatchConfig;
  readonly #logger: Logger;
  readonly #next: Consumer;
  readonly #metrics: BatchMetrics;
  readonly #incident: Incident;
  #pending: TelemetryBatch[] = [];
  #pendingItems = 0;
  /** The batch that is being sent, and those that follow it. */
  #outgoing: TelemetryBatch[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** True if the time of the pending batches was over while another one was being sent. */
  #isOverdue = false;
  #sending: Promise<void> | undefined;
  #closed = false;

  constructor(settings: ComponentSettings, config: BatchConfig, next: Consumer) {
    this.#config = config;
    this.#logger = settings.logger;
    this.#next = next;
    this.#metrics = new BatchMetrics(settings);
    for (const signal of settings.signals) settings.ledger.holds(signal, () => this.#heldItems);
    this.#incident = new Incident(settings.logger, {
      failing: 'Batches are dropped because the next component refuses them',
      recovered: 'Batches are accepted again',
    });
  }

  async start(): Promise<void> {
    reportIdleKeys(this.#logger, idleKeys(this.#config));
  }

  async consume(batch: TelemetryBatch): Promise<void> {
    // Another sender may have filled the next batch while this one waited.
    while (this.#sending !== undefined && this.#isFull) await this.#sending;
    if (this.#closed) throw new RetryableError('shutdown', 'the batch processor is shutting down');
    this.#pending.push(batch);
    this.#pendingItems += batch.itemCount;
    if (this.#isFull) this.#flush('size');
    else this.#startTimer();
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const flushed = this.#flushAll();
    await Promise.race([flushed, aborted(deadline)]);
    for (const batch of [...this.#outgoing.splice(0), ...this.#take()]) this.#metrics.dropped(batch, 'shutdown');
  }

  /** With `timeout: 0`, every batch is sent immediately. */
  get #isFull(): boolean {
    return this.#config.timeout === 0 || this.#pendingItems >= this.#config.send_batch_size;
  }

  get #heldItems(): number {
    return this.#outgoing.reduce((sum, { itemCount }) => sum + itemCount, this.#pendingItems);
  }

  async #flushAll(): Promise<void> {
    this.#flush('timeout');
    // `#send` continues with the batches that were added while it ran.
    while (this.#sending !== undefined) await this.#sending;
  }

  #startTimer(): void {
    this.#timer ??= setTimeout(() => {
      this.#isOverdue = true;
      this.#flush('timeout');
    }, this.#config.timeout);
  }

  /** Does nothing while a batch is being sent; `#send` continues with the pending ones. */
  #flush(trigger: Trigger): void {
    if (this.#sending !== undefined || this.#pending.length === 0) return;
    this.#sending = this.#send(this.#take(), trigger);
  }

  #take(): readonly TelemetryBatch[] {
    const taken = this.#pending;
    this.#pending = [];
    this.#pendingItems = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isOverdue = false;
    return taken;
  }

  /** Never rejects. */
  async #send(pending: readonly TelemetryBatch[], trigger: Trigger): Promise<void> {
    const joined = joinBatches((pending[0] as TelemetryBatch).signal, pending);
    this.#outgoing = [joined];
    const parts = await inSlices(splitBatch(joined, this.#config.send_batch_max_size));
    // Empty if the deadline has aborted: then the batch is already counted.
    if (this.#outgoing.length > 0) this.#outgoing = trigger === 'size' ? this.#withoutRest(parts) : [...parts];
    const slice = new TimeSlice();
    for (let [batch] = this.#outgoing; batch !== undefined; [batch] = this.#outgoing) {
      this.#metrics.sent(batch, trigger);
      // One after another, so that the next consumer can apply backpressure.
      await this.#sendOne(batch);
      await slice.pause();
    }
    this.#sending = undefined;
    if (this.#closed || this.#isFull) this.#flush('size');
    else if (this.#isOverdue) this.#flush('timeout');
  }

  /** The part below `send_batch_size` becomes pending again. */
  #withoutRest(parts: readonly TelemetryBatch[]): TelemetryBatch[] {
    const rest = parts.at(-1);
    const { timeout, send_batch_size } = this.#config;
    const isBatch = timeout === 0 || rest === undefined || rest.itemCount >= send_batch_size;
    if (isBatch || parts.length < 2 || this.#closed) return [...parts];
    this.#pending.unshift(rest);
    this.#pendingItems += rest.itemCount;
    this.#startTimer();
    return parts.slice(0, -1);
  }

  /** Never rejects. */
  async #sendOne(batch: TelemetryBatch): Promise<void> {
    try {
      await this.#next.consume(batch);
      this.#outgoing.shift();
      this.#incident.succeeded();
    } catch (error) {
      // Empty if the deadline has aborted: then the batch is already counted.
      if (this.#outgoing.shift() !== undefined) this.#metrics.dropped(batch, reasonOf(error));
      this.#incident.failed(error);
    }
  }
}

class BatchMetrics {
  readonly dropped: ReturnType<typeof countDropped>;
  readonly #triggers;
  readonly #items;
  readonly #bytes;

  constructor(settings: ComponentSettings) {
    const { metrics } = settings;
    this.dropped = countDropped(settings);
    this.#triggers = {
      size: metrics.counter(sidecarMetrics.otelcol_processor_batch_batch_size_trigger_send),
      timeout: metrics.counter(sidecarMetrics.otelcol_processor_batch_timeout_trigger_send),
    } satisfies Record<Trigger, unknown>;
    this.#items = metrics.histogram(sidecarMetrics.otelcol_processor_batch_batch_send_size);
    this.#bytes = metrics.histogram(sidecarMetrics.otelcol_processor_batch_batch_send_size_bytes);
  }

  sent({ itemCount, sizeBytes }: TelemetryBatch, trigger: Trigger): void {
    this.#triggers[trigger].add(1);
    this.#items.record(itemCount);
    this.#bytes.record(sizeBytes);
  }
}
