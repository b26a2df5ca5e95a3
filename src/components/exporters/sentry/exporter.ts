import { setTimeout as sleep } from 'node:timers/promises';
import type { Component, ComponentSettings, Consumer, Host, TelemetryBatch } from '../../../engine/component.ts';
import { RetryableError } from '../../../engine/errors.ts';
import type { SentryDropReason } from '../../../metrics/reasons.ts';
import type { ReceivedLogRecord } from '../../../engine/otlp/log-reader.ts';
import { spanSteps, type Span } from '../../../engine/otlp/span-reader.ts';
import { TimeSlice } from '../../../engine/time-slice.ts';
import { observeQueues } from '../../../engine/delivery/observe-queues.ts';
import { ItemCounter } from '../../../engine/telemetry/item-counts.ts';
import { sidecarMetrics } from '../../../metrics/self.ts';
import type { SentryExporterConfig } from './config.ts';
import { Outcomes } from './outcomes.ts';
import { spansIn, toClientReport } from './envelope.ts';
import { NO_QUEUE } from './envelope-delivery.ts';
import { ErrorArrivals } from './error-arrivals.ts';
import { errorRecordsIn, HeldRecords } from './error-records.ts';
import { Projects, type Project } from './projects.ts';
import type { Segment } from './segments.ts';
import { TraceBuffer } from './trace-buffer.ts';
import { toEnvelopes, type Departure, type EnvelopeContext } from './trace-envelopes.ts';

/** How long a request waits for room that its own spans need. Senders wait for ten seconds. */
const MAX_WAIT_MS = 5000;
/** How often a request that waits for room looks for it. */
const RELIEF_MS = 5;
const REPORT_INTERVAL_MS = 30_000;
const [MIN_TICK_MS, MAX_TICK_MS] = [20, 500];
const BYTES_PER_MIB = 1024 * 1024;

/**
 * Turns traces into Sentry's spans or transactions, and their exceptions and those of log records into errors. A batch is
 * accepted once its items are in memory. After that each is either sent or counted as dropped with a reason.
 */
export class SentryExporter implements Component, Consumer {
  readonly #settings: ComponentSettings;
  readonly #config: SentryExporterConfig;
  /** For items without a project. */
  readonly #outcomes: Outcomes;
  readonly #blocksOnOverflow: boolean;
  readonly #enqueueFailed: ItemCounter;
  readonly #buffer: TraceBuffer;
  readonly #records = new HeldRecords();
  readonly #arrivals = new ErrorArrivals();
  readonly #projects: Projects;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;
  /** Received spans that have left the buffer and are not in the queue yet. */
  #spansBetween = 0;
  #recordsBetween = 0;
  #lastReportMs = performance.now();
  #stopped = false;
  /** Accepted items that are not yet read. */
  readonly #unread = { batches: 0, spans: 0, records: 0 };

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
    this.#projects = new Projects(settings, config);
    settings.ledger.holds(
      'traces',
      () => this.#unread.spans + this.#buffer.spanCount + this.#spansBetween + this.#projects.queuedSpans,
    );
    settings.ledger.holds('logs', () => this.#unread.records + this.#records.count + this.#recordsBetween);
    settings.metrics.observe(sidecarMetrics.siphon_sentry_held_spans, (observe) => observe(this.#buffer.spanCount));
    const { blockOnOverflow, queueSize } = config.sending_queue ?? NO_QUEUE;
    this.#blocksOnOverflow = blockOnOverflow;
    if (!this.#isOff) observeQueues(settings.metrics, new Map([['traces', this.#projects.fullestQueue]]), queueSize);
  }

  async start(host: Host): Promise<void> {
    if (this.#isOff) {
      const { logger, emptyValues } = this.#settings;
      const cause = emptyValues?.get('dsn')?.cause;
      logger.info({ cause }, 'Sentry is off because dsn is empty: telemetry is accepted and dropped');
      return;
    }
    for (const { delivery, logger, settings } of this.#projects.all) {
      await delivery.start(host);
      logger.info({ protocol: settings.protocol }, 'Traces go to Sentry');
    }
    const tickMs = Math.min(Math.max(this.#config.trace_buffer.grace_period / 2, MIN_TICK_MS), MAX_TICK_MS);
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  async consume(batch: TelemetryBatch): Promise<void> {
    const { signal, itemCount: quantity } = batch;
    const account = this.#settings.ledger.account(signal);
    if (this.#isOff) {
      const isRecord = signal === 'logs';
      this.#outcomes.dropped({ category: isRecord ? 'log_item' : 'span', reason: 'disabled', quantity, isRecord });
      account.accept(quantity);
      return;
    }
    try {
      await this.#makeRoom();
    } catch (error) {
      this.#enqueueFailed.add(batch);
      throw error;
    }
    account.accept(quantity);
    this.#unread.batches++;
    const held = signal === 'logs' ? this.#holdRecords(batch) : this.#holdSpans(batch);
    await held.finally(() => this.#unread.batches--);
    if (this.#isOverfull) this.#flush();
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    clearInterval(this.#timer);
    const projects = this.#projects.all;
    for (const { delivery } of projects) delivery.stopBy(deadline);
    await this.#flushing;
    await this.#send(this.#taken(this.#buffer.takeAll(), Infinity));
    await Promise.all(
      projects.map(async (project) => {
        await report(project);
        await project.delivery.drain(deadline);
      }),
    );
  }

  /** Segments that wait for the queue are no longer in the buffer, so the buffer may fill up only once more. */
  async #makeRoom(): Promise<void> {
    if (this.#blocksOnOverflow) await this.#flushing;
    else if (this.#projects.isFull || (this.#flushing !== undefined && this.#isOverfull)) {
      throw new RetryableError('queue_full', 'the sending queue and the trace buffer are full');
    }
    if (this.#stopped) throw new RetryableError('shutdown', 'the exporter is shutting down');
  }

  /** True without any DSN. */
  get #isOff(): boolean {
    return this.#projects.all.length === 0;
  }

  get #isOverfull(): boolean {
    return this.#buffer.isOverfull || this.#records.isOverfull;
  }

  async #holdSpans({ chunks, itemCount }: TelemetryBatch): Promise<void> {
    this.#unread.spans += itemCount;
    const slice = new TimeSlice();
    const waitUntilMs = this.#blocksOnOverflow ? Infinity : performance.now() + MAX_WAIT_MS;
    for (const chunk of chunks) {
      for (const span of spanSteps(chunk)) {
        if (this.#buffer.isOverfull) await this.#relieve(waitUntilMs);
        if (span !== undefined) this.#hold(span);
        if (slice.isOver) await slice.pause();
      }
    }
  }

  async #holdRecords(batch: TelemetryBatch): Promise<void> {
    this.#unread.records += batch.itemCount;
    const slice = new TimeSlice();
    const waitUntilMs = this.#blocksOnOverflow ? Infinity : performance.now() + MAX_WAIT_MS;
    let others = batch.itemCount;
    for (const record of errorRecordsIn(batch)) {
      if (this.#records.isOverfull) await this.#relieve(waitUntilMs);
      if (record !== undefined) {
        others--;
        this.#holdRecord(record);
      }
      if (slice.isOver) await slice.pause();
    }
    this.#unread.records -= others;
    this.#outcomes.dropped({ category: 'log_item', reason: 'no_exception', quantity: others, isRecord: true });
  }

  #holdRecord(record: ReceivedLogRecord): void {
    this.#unread.records--;
    const { outcomes, absence } = this.#projects.of(record.resource);
    const dropped = (reason: SentryDropReason): void => outcomes.dropped({ category: 'error', reason, isRecord: true });
    if (absence !== undefined) dropped(absence);
    else if (this.#stopped) dropped('shutdown');
    else if (this.#records.isOverfull) dropped('queue_full');
    else this.#records.add(record, this.#buffer.sentSegmentOf(record.traceId, record.spanId), performance.now());
  }

  /** Begins to empty the buffer. If it is full again before that is done, waits. */
  async #relieve(waitUntilMs: number): Promise<void> {
    this.#flush();
    while (this.#isOverfull && !this.#stopped && performance.now() < waitUntilMs) {
      await Promise.race([this.#flushing, sleep(RELIEF_MS)]);
      this.#flush();
    }
  }

  /** A full buffer is one that `#relieve` could not empty in time. */
  #hold(span: Span): void {
    this.#unread.spans--;
    const nowMs = performance.now();
    const { outcomes, absence } = this.#projects.of(span.resource);
    const dropped = (reason: SentryDropReason): void => outcomes.dropped({ category: 'span', reason });
    if (absence !== undefined) dropped(absence);
    else if (this.#stopped) dropped('shutdown');
    else if (this.#buffer.isOverfull) dropped('queue_full');
    else if (!isId(span.traceId, 32) || !isId(span.spanId, 16)) dropped('invalid_ids');
    else if (!isAcceptedTime(span)) dropped('invalid_time');
    else if (!this.#buffer.add(span, nowMs)) dropped('duplicate');
  }

  #tick(): void {
    // The rest of a request may have the children of a root that is due.
    if (this.#unread.batches === 0) this.#flush();
    if (performance.now() - this.#lastReportMs < REPORT_INTERVAL_MS) return;
    this.#lastReportMs = performance.now();
    for (const project of this.#projects.all) if (!project.delivery.isFull) void report(project);
  }

  /** Only one runs at a time. While it waits for a full queue, spans stay in the buffer. */
  #flush(): void {
    if (this.#flushing !== undefined) return;
    const nowMs = performance.now();
    const departures = this.#taken(this.#buffer.take(nowMs), nowMs);
    const first = departures.next();
    if (first.done === true) return;
    this.#flushing = this.#send(prepended(first.value, departures)).finally(() => (this.#flushing = undefined));
  }

  /** Counts the items that are no longer held and not yet in the queue. @param groups the segments of each trace. */
  *#taken(groups: Generator<readonly Segment[]>, nowMs: number): Generator<Departure> {
    for (;;) {
      const before = this.#buffer.spanCount;
      const next = groups.next();
      if (next.done === true) break;
      this.#spansBetween += before - this.#buffer.spanCount;
      const records = this.#settings.signals.has('logs') ? this.#records.takeOf(next.value) : [];
      this.#recordsBetween += records.length;
      yield { roots: next.value.map(({ root }) => root), segments: next.value, records };
    }
    const records = this.#records.takeDue(nowMs);
    this.#recordsBetween += records.length;
    if (records.length > 0) yield { roots: [], segments: [], records };
  }

  /** Never rejects. */
  async #send(departures: Iterable<Departure>): Promise<void> {
    const slice = new TimeSlice();
    for (const departure of departures) {
      for (const [project, part] of this.#projects.divided(departure)) await this.#sendPart(part, project, slice);
    }
  }

  async #sendPart(
    departure: Departure,
    { settings, delivery, outcomes, publicKeyOf }: Project,
    slice: TimeSlice,
  ): Promise<void> {
    const onDropped: EnvelopeContext['onDropped'] = (drop) => {
      outcomes.dropped(drop);
      if (drop.category === 'span') this.#spansBetween -= drop.quantity ?? 1;
      if (drop.isRecord === true) this.#recordsBetween--;
    };
    for (const envelope of toEnvelopes(departure, { settings, arrivals: this.#arrivals, publicKeyOf, onDropped })) {
      if (slice.isOver) await slice.pause();
      if (envelope === undefined) continue;
      this.#spansBetween -= spansIn(envelope);
      if (envelope.isRecord === true) {
        this.#recordsBetween--;
        outcomes.converted();
      }
      // The next envelope waits if the queue is full.
      await delivery.enqueue(envelope);
    }
  }
}

/** Never rejects. */
async function report({ outcomes, delivery }: Project): Promise<void> {
  const discarded = outcomes.takeUnreported();
  if (discarded.length > 0) await delivery.enqueue(toClientReport(discarded));
}

function* prepended<T>(first: T, rest: Iterable<T>): Generator<T> {
  yield first;
  yield* rest;
}

const MAX_PAST_MS = 30 * 24 * 3600 * 1000;
/** Wide, because the clock of the sidecar may be behind that of the services. */
const MAX_FUTURE_MS = 2 * 24 * 3600 * 1000;

/** Relay refuses the whole transaction if it does not believe its end. */
function isAcceptedTime({ startTimeUnixNano, endTimeUnixNano }: Span): boolean {
  const nowMs = Date.now();
  const [startMs, endMs] = [startTimeUnixNano, endTimeUnixNano].map((time) => Number(time / 1_000_000n)) as [number, number]; // prettier-ignore
  return startMs > 0 && Math.max(startMs, endMs) < nowMs + MAX_FUTURE_MS && Math.max(startMs, endMs) > nowMs - MAX_PAST_MS; // prettier-ignore
}

function isId(text: string, digits: number): boolean {
  return text.length === digits && !/^0+$/.test(text);
}
