import type { Logger } from 'pino';
import { aborted } from '../../../engine/aborted.ts';
import type {
  Component,
  ComponentSettings,
  Consumer,
  PartialSuccess,
  TelemetryBatch,
} from '../../../engine/component.ts';
import { RetryableError } from '../../../engine/errors.ts';
import { Incident } from '../../../engine/incident.ts';
import { reportIdleKeys } from '../../../engine/net/idle-keys.ts';
import { countDropped, reasonOf } from '../../../engine/telemetry/item-counts.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { inSlices, TimeSlice } from '../../../engine/time-slice.ts';
import { idleKeys, maxHeldBytes, type TailSamplingConfig } from './config.ts';
import type { Decisions } from './decisions.ts';
import type { HeldScope, HeldSpans, SpanList } from './held-spans.ts';
import { Judge } from './judge.ts';
import type { Verdict } from './policies/policy.ts';
import type { FailureReason } from '../../../metrics/reasons.ts';
import { SamplingCounts, type EarlyReason } from './sampling-counts.ts';
import { isLocalRoot, traceIdOf } from './span-identity.ts';
import { WaitingTraces, type WaitingTrace } from './waiting-traces.ts';
import { walkSpans } from './walk-spans.ts';
import { writeSpans } from './write-spans.ts';

const LONGEST_TICK_MS = 1000;
const TICKS_A_WAIT = 10;
/** A batch that is sent has about this much. */
const BATCH_SPANS = 8192;
const BATCH_BYTES = 1024 * 1024;

/**
 * Keeps the spans of each trace until the time to decide about it has come. As in the stock Collector, a batch counts as
 * accepted as soon as it is held here. If the next consumer refuses spans of a sampled trace, they are lost and counted
 * with the reason.
 */
export class TailSamplingProcessor implements Component, Consumer {
  readonly #config: TailSamplingConfig;
  readonly #logger: Logger;
  readonly #next: Consumer;
  readonly #decisions: Decisions;
  readonly #traces: WaitingTraces;
  readonly #judge: Judge;
  readonly #counts: SamplingCounts;
  readonly #account;
  readonly #dropped: ReturnType<typeof countDropped>;
  readonly #incident: Incident;
  readonly #maxBytes: number;
  readonly #looksForRoots: boolean;
  readonly #tickMs: number;
  /** How long a trace that no other policy wants waits for an exemplar, from its first span on. */
  readonly #referenceWaitMs: number;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  /** The trace that policies are looking at: its spans must stay. */
  #judged: WaitingTrace | undefined;
  #isClosing = false;
  /** True if the deadline of the shutdown has aborted: then what is left is already counted. */
  #isOver = false;
  #outgoing = new Outgoing();
  /** How many spans the next consumer has not accepted yet. */
  #sendingItems = 0;

  constructor(settings: ComponentSettings, config: TailSamplingConfig, next: Consumer, decisions: Decisions) {
    this.#config = config;
    this.#logger = settings.logger;
    this.#next = next;
    this.#decisions = decisions;
    const afterRootMs = config.decision_wait_after_root_received;
    this.#traces = new WaitingTraces(decisions, {
      decisionMs: config.decision_wait,
      afterRootMs: afterRootMs > 0 ? afterRootMs : Infinity,
    });
    this.#judge = new Judge(config, settings.metrics, (traceId) =>
      decisions.isReferred(Buffer.from(traceId).toString('latin1')),
    );
    this.#counts = new SamplingCounts(settings.metrics, this.#traces);
    this.#account = settings.ledger.account('traces');
    settings.ledger.holds('traces', () => this.#heldItems);
    this.#dropped = countDropped(settings);
    this.#incident = new Incident(settings.logger, {
      failing: 'Sampled spans are dropped because the next component refuses them',
      recovered: 'Sampled spans are accepted again',
    });
    this.#maxBytes = maxHeldBytes(config);
    this.#looksForRoots = afterRootMs > 0;
    this.#tickMs = Math.min(LONGEST_TICK_MS, Math.ceil(config.decision_wait / TICKS_A_WAIT));
    this.#referenceWaitMs = Math.max(
      0,
      ...config.policies.map(({ type, exemplar }) => (type === 'exemplar' ? exemplar.wait : 0)),
    );
  }

  async start(): Promise<void> {
    reportIdleKeys(this.#logger, idleKeys(this.#config));
    this.#decisions.holders.add(this.#traces);
    this.#timer = setInterval(() => this.#beginRound(), this.#tickMs);
  }

  /** Waits while traces are not decided and sent fast enough. */
  async consume({ chunks }: TelemetryBatch): Promise<PartialSuccess | void> {
    while (this.#mustWait) await (this.#round ?? sleep(this.#tickMs));
    if (this.#isClosing) throw new RetryableError('shutdown', 'the tail_sampling processor is shutting down');
    let rejectedItems = 0;
    for (const bytes of chunks) {
      const steps = walkSpans({ bytes, spans: 0 }, (scope, start, end) => {
        if (!this.#take(scope, start, end)) rejectedItems++;
      });
      await inSlices(steps);
    }
    if (this.#overflow !== undefined && !this.#config.block_on_overflow) this.#beginRound();
    if (rejectedItems === 0) return;
    this.#account.drop(rejectedItems, 'invalid_ids');
    return { rejectedItems, message: 'spans without a trace id cannot be sampled' };
  }

  /** Decides about all traces by what has arrived. */
  async shutdown(deadline: AbortSignal): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#timer);
    this.#decisions.holders.delete(this.#traces);
    if (!this.#config.drop_pending_traces_on_shutdown) await Promise.race([this.#finish(), aborted(deadline)]);
    this.#isOver = true;
    this.#drop(this.#heldItems, 'shutdown');
    this.#sendingItems = 0;
    this.#traces.clear();
  }

  get #mustWait(): boolean {
    if (this.#isClosing || this.#overflow === undefined) return false;
    return this.#config.block_on_overflow || this.#round !== undefined;
  }

  get #overflow(): EarlyReason | undefined {
    if (this.#traces.count > this.#config.num_traces) return 'num_traces';
    return this.#traces.spans.sizeBytes - this.#outgoing.sizeBytes > this.#maxBytes ? 'max_size' : undefined;
  }

  get #heldItems(): number {
    return this.#traces.spans.count + this.#sendingItems;
  }

  /** Returns false if the span cannot belong to a trace. */
  #take(scope: HeldScope, start: number, end: number): boolean {
    const { bytes } = scope.resource.request;
    const id = traceIdOf(bytes, start, end);
    if (id === undefined) return false;
    const nowMs = performance.now();
    const trace = this.#traces.traceOf(id, nowMs);
    if (trace?.state === 'sampled' || trace === undefined) this.#counts.late(trace !== undefined);
    if (trace === undefined) {
      this.#account.drop(1, 'not_sampled');
      return true;
    }
    this.#traces.add(trace, scope, { start, end });
    if (this.#looksForRoots && isLocalRoot(bytes, start, end)) this.#traces.addRoot(trace, nowMs);
    if (trace !== this.#judged && this.#isTooLarge(trace)) this.#dropTooLarge(trace);
    return true;
  }

  #isTooLarge({ sizeBytes, state }: WaitingTrace): boolean {
    const { maximum_trace_size_bytes: maxBytes } = this.#config;
    return maxBytes > 0 && sizeBytes > maxBytes && state !== 'sampled';
  }

  #dropTooLarge(trace: WaitingTrace): void {
    this.#traces.decide(trace, false);
    this.#traces.spans.release(trace.spans);
    this.#counts.tooLarge();
    this.#drop(trace.spanCount, 'too_large');
  }

  #beginRound(): void {
    this.#round ??= this.#decideAll().finally(() => {
      this.#round = undefined;
    });
  }

  async #finish(): Promise<void> {
    await this.#round;
    this.#beginRound();
    await this.#round;
  }

  /** Decides about the traces whose time has come, and the oldest ones above the limits. Never rejects. */
  async #decideAll(): Promise<void> {
    const slice = new TimeSlice();
    const nowMs = performance.now();
    for (const trace of this.#traces.all()) {
      const early = this.#earlyReason;
      if (early === undefined && trace.dueMs > nowMs) continue;
      const verdict = await this.#verdictOf(trace, slice);
      if (verdict === undefined) return;
      this.#settle(trace, verdict, { nowMs, early });
      if (this.#outgoing.isFull) await this.#send();
      await slice.pause();
      if (this.#isOver) return;
    }
    if (!this.#outgoing.isEmpty) await this.#send();
  }

  get #earlyReason(): EarlyReason | undefined {
    if (this.#isClosing) return 'shutdown';
    return this.#config.block_on_overflow ? undefined : this.#overflow;
  }

  #settle(trace: WaitingTrace, verdict: Verdict, { nowMs, early }: Moment): void {
    if (this.#isTooLarge(trace)) {
      this.#dropTooLarge(trace);
      return;
    }
    const mayBeReferred = verdict === 'not_sampled' && trace.sinceMs + this.#referenceWaitMs > nowMs;
    if (mayBeReferred && early === undefined) {
      trace.state = 'unreferred';
      trace.dueMs = trace.sinceMs + this.#referenceWaitMs;
      return;
    }
    if (early !== undefined && trace.dueMs > nowMs) this.#counts.early(early);
    if (trace.state !== 'sampled') this.#counts.decided(verdict);
    this.#traces.decide(trace, verdict === 'sampled');
    if (verdict === 'sampled') {
      this.#outgoing.add(trace, this.#traces.spans);
      return;
    }
    this.#traces.spans.release(trace.spans);
    this.#account.drop(trace.spanCount, 'not_sampled');
  }

  /** Undefined if the deadline of the shutdown aborts meanwhile: then the spans are gone. */
  async #verdictOf(trace: WaitingTrace, slice: TimeSlice): Promise<Verdict | undefined> {
    if (trace.state === 'sampled') return 'sampled';
    if (trace.state === 'unreferred') return this.#decisions.isReferred(trace.id) ? 'sampled' : 'not_sampled';
    this.#judged = trace;
    const steps = this.#judge.decide(trace, this.#traces.spans);
    let step = steps.next();
    while (step.done !== true) {
      if (slice.isOver) await slice.pause();
      if (this.#isOver) return undefined;
      step = steps.next();
    }
    this.#judged = undefined;
    // An exemplar may have come meanwhile.
    return step.value === 'not_sampled' && this.#decisions.isReferred(trace.id) ? 'sampled' : step.value;
  }

  /** Never rejects. */
  async #send(): Promise<void> {
    const { spans } = this.#traces;
    const batch = writeSpans(spans, this.#outgoing.rows);
    this.#sendingItems = batch.itemCount;
    for (const list of this.#outgoing.lists) spans.release(list);
    this.#outgoing = new Outgoing();
    try {
      await this.#next.consume(batch);
      this.#incident.succeeded();
    } catch (error) {
      // 0 if the deadline has aborted: then the spans are already counted.
      this.#drop(this.#sendingItems, reasonOf(error));
      this.#incident.failed(error);
    }
    this.#sendingItems = 0;
  }

  #drop(itemCount: number, reason: FailureReason): void {
    if (itemCount > 0) this.#dropped({ signal: 'traces', itemCount }, reason);
  }
}

/** When a trace is decided, and why that is before its time. */
interface Moment {
  readonly nowMs: number;
  readonly early: EarlyReason | undefined;
}

/** Spans of sampled traces that become one batch. */
class Outgoing {
  readonly rows: number[] = [];
  readonly lists: SpanList[] = [];
  sizeBytes = 0;

  get isEmpty(): boolean {
    return this.rows.length === 0;
  }

  get isFull(): boolean {
    return this.rows.length >= BATCH_SPANS || this.sizeBytes >= BATCH_BYTES;
  }

  add({ spans: list, sizeBytes }: WaitingTrace, spans: HeldSpans): void {
    for (let row = list.first; row >= 0; row = spans.next(row)) this.rows.push(row);
    this.lists.push(list);
    this.sizeBytes += sizeBytes;
  }
}
