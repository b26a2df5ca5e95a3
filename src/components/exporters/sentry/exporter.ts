import type { Component, ComponentSettings, Consumer, Host, TelemetryBatch } from '../../../engine/component.ts';
import { RetryableError } from '../../../engine/errors.ts';
import { readSpans, type Span } from '../../../engine/otlp/span-reader.ts';
import { ItemCounter } from '../../../engine/telemetry/item-counts.ts';
import { sidecarMetrics } from '../../../metrics/self.ts';
import type { SentryExporterConfig } from './config.ts';
import { Outcomes } from './outcomes.ts';
import { parseDsn } from './dsn.ts';
import { toClientReport, toEnvelopes } from './envelope.ts';
import { EnvelopeDelivery } from './envelope-delivery.ts';
import type { Segment } from './segments.ts';
import { withStandIns } from './stand-in-segments.ts';
import { TraceBuffer } from './trace-buffer.ts';

const REPORT_INTERVAL_MS = 30_000;
const [MIN_TICK_MS, MAX_TICK_MS] = [20, 500];
const BYTES_PER_MIB = 1024 * 1024;

/**
 * Turns traces into Sentry's transactions and errors. A batch is accepted once its spans are in memory. After that each
 * span is either sent or counted as dropped with a reason.
 */
export class SentryExporter implements Component, Consumer {
  readonly #settings: ComponentSettings;
  readonly #config: SentryExporterConfig;
  readonly #outcomes: Outcomes;
  readonly #enqueueFailed: ItemCounter;
  readonly #buffer: TraceBuffer;
  readonly #delivery: EnvelopeDelivery | undefined;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;
  #lastReportMs = performance.now();
  #stopped = false;

  constructor(settings: ComponentSettings, config: SentryExporterConfig) {
    this.#settings = settings;
    this.#config = config;
    this.#outcomes = new Outcomes(settings);
    this.#enqueueFailed = new ItemCounter('otelcol_exporter_enqueue_failed', settings);
    const { grace_period, max_age, max_spans, max_size_mib } = config.trace_buffer;
    this.#buffer = new TraceBuffer({
      graceMs: grace_period,
      maxAgeMs: max_age,
      maxSpans: max_spans,
      maxBytes: max_size_mib * BYTES_PER_MIB,
    });
    const dsn = parseDsn(config.dsn.reveal());
    this.#delivery = dsn && new EnvelopeDelivery(dsn, settings, config, this.#outcomes);
    settings.metrics.observe(sidecarMetrics.siphon_sentry_held_spans, (observe) => observe(this.#buffer.spanCount));
  }

  async start(_host: Host): Promise<void> {
    if (this.#delivery === undefined) {
      this.#settings.logger.info('Sentry is off because dsn is empty: spans are accepted and dropped');
      return;
    }
    const tickMs = Math.min(Math.max(this.#config.trace_buffer.grace_period / 2, MIN_TICK_MS), MAX_TICK_MS);
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  async consume(batch: TelemetryBatch): Promise<void> {
    if (this.#delivery === undefined) {
      this.#outcomes.dropped('span', 'disabled', batch.itemCount);
      return;
    }
    try {
      await this.#makeRoom(this.#delivery);
    } catch (error) {
      this.#enqueueFailed.add(batch);
      throw error;
    }
    const nowMs = performance.now();
    for (const chunk of batch.chunks) for (const span of readSpans(chunk)) this.#hold(span, nowMs);
    if (this.#buffer.isOverfull) this.#flush(() => this.#buffer.take(performance.now()));
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    clearInterval(this.#timer);
    if (this.#delivery === undefined) return;
    const { delivery, last } = { delivery: this.#delivery, last: this.#buffer.takeAll() };
    delivery.stopBy(deadline);
    await this.#flushing;
    await this.#send(delivery, last);
    await this.#report(delivery);
    await delivery.drain(deadline);
  }

  /** Segments that wait for the queue are no longer in the buffer, so the buffer may fill up only once more. */
  async #makeRoom(delivery: EnvelopeDelivery): Promise<void> {
    if (delivery.blocksOnOverflow) await this.#flushing;
    else if (delivery.isFull || (this.#flushing !== undefined && this.#buffer.isOverfull)) {
      throw new RetryableError('queue_full', 'the sending queue and the trace buffer are full');
    }
    if (this.#stopped) throw new RetryableError('shutdown', 'the exporter is shutting down');
  }

  #hold(span: Span, nowMs: number): void {
    if (!isId(span.traceId, 32) || !isId(span.spanId, 16)) this.#outcomes.dropped('span', 'invalid_ids');
    else if (!this.#buffer.add(span, nowMs)) this.#outcomes.dropped('span', 'duplicate');
  }

  #tick(): void {
    this.#flush(() => this.#buffer.take(performance.now()));
    if (performance.now() - this.#lastReportMs < REPORT_INTERVAL_MS || this.#delivery?.isFull !== false) return;
    this.#lastReportMs = performance.now();
    void this.#report(this.#delivery);
  }

  /** Only one runs at a time. While it waits for a full queue, spans stay in the buffer. */
  #flush(take: () => Segment[]): void {
    if (this.#flushing !== undefined || this.#delivery === undefined) return;
    const segments = take();
    if (segments.length === 0) return;
    this.#flushing = this.#send(this.#delivery, segments).finally(() => (this.#flushing = undefined));
  }

  /** Never rejects. */
  async #send(delivery: EnvelopeDelivery, segments: readonly Segment[]): Promise<void> {
    for (const segment of withStandIns(segments)) {
      const dropped = this.#outcomes.dropped.bind(this.#outcomes);
      for (const envelope of toEnvelopes(segment, this.#config, dropped)) {
        // The next envelope waits if the queue is full.
        await delivery.enqueue(envelope);
      }
    }
  }

  /** Never rejects. */
  async #report(delivery: EnvelopeDelivery): Promise<void> {
    const discarded = this.#outcomes.takeUnreported();
    if (discarded.length > 0) await delivery.enqueue(toClientReport(discarded));
  }
}

function isId(text: string, digits: number): boolean {
  return text.length === digits && !/^0+$/.test(text);
}
