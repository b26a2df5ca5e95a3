import type { Logger } from 'pino';
import type { StorageSpace } from '../../../../engine/storage.ts';
import { Incident } from '../../../../engine/incident.ts';
import { concernsDatabase, reasonOf } from '../../../../postgres/polling/poll-failure.ts';
import { retryMs } from '../../../../postgres/polling/schedule.ts';
import { unlessAborted } from '../../../../postgres/polling/unless-aborted.ts';
import type { CounterQuery, Schema, TableColumns } from '../query.ts';
import { publish, type Poll, type RunContext, type QueryRun } from '../run/query-run.ts';
import { Counter, type Step } from './counter.ts';
import { NewSeries } from './new-series.ts';
import { droppedValues } from './occurrences.ts';
import { PostgresTable } from './postgres-table.ts';
import { metricsOf, type TotalSeries } from './totals.ts';

export interface CounterRunSettings {
  /** The time between two polls. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly reconcileMs: number;
  /** The timeout for the baseline and the older rows, which read the whole table. */
  readonly reconcileTimeoutMs: number;
  /** See `CounterSettings.maxKeys`. */
  readonly maxKeys: number;
  readonly space: StorageSpace;
}

const FIRST_RETRY_MS = 60_000;
const FIRST_SWEEP_RETRY_MS = 1000;
/** The duration of the sweeps of one poll, except the last batch. */
const SWEEP_MS = 400;
const SWEEP_PAUSE_MS = 50;

/** Counts rows at each poll and publishes all totals, so that no series expires. */
export class CounterRun implements QueryRun {
  readonly #id: string;
  readonly #query: CounterQuery;
  readonly #context: RunContext;
  readonly #reconcileMs: number;
  readonly #table: PostgresTable;
  readonly #counter: Counter;
  readonly #logger: Logger;
  readonly #catchingUp: Incident;
  readonly #drift: DriftReport;
  readonly #newSeries: NewSeries;
  #published: ReadonlyMap<string, TotalSeries> = new Map();
  #turn: Promise<unknown> = Promise.resolve();
  #catchUpFailures = 0;
  #catchUpAgainMs = 0;
  /** The result of the latest reading of the recent rows. */
  #recent: Step | undefined;
  readonly #uncounted = new UncountedRows();
  #isWaiting = false;
  /**
   * Rows from the time when another poller was the leader are published together once all are counted. Published step by
   * step, they would look like a burst.
   */
  #isTakingOver = false;

  constructor(id: string, query: CounterQuery, settings: CounterRunSettings, context: RunContext) {
    this.#id = id;
    this.#query = query;
    this.#context = context;
    this.#reconcileMs = settings.reconcileMs;
    this.#table = new PostgresTable(context.pool, query);
    const logger = context.logger.child({ query: id });
    this.#logger = logger;
    this.#catchingUp = new Incident(logger, {
      failing: 'Older rows cannot be counted; siphon will try again',
      recovered: 'Older rows are counted again',
    });
    this.#drift = new DriftReport(logger);
    this.#newSeries = new NewSeries(settings.intervalMs);
    context.metrics.declareCounter(id);
    this.#counter = new Counter({
      query,
      name: id,
      table: this.#table,
      space: settings.space,
      maxKeys: settings.maxKeys,
      timeoutMs: settings.timeoutMs,
      longTimeoutMs: settings.reconcileTimeoutMs,
      reconcileMs: settings.reconcileMs,
      logger,
      onRebaseline: (reason) => {
        this.#uncounted.forget();
        context.metrics.rebaselined(id, reason);
        logger.warn({ reason }, 'Counting started again: the counters restart at 0');
      },
    });
  }

  get needs(): TableColumns {
    return this.#query.needs;
  }

  async prepare(schema: Schema, signal: AbortSignal): Promise<void> {
    await this.#inTurn(signal, async () => {
      this.#table.use(schema, signal);
      await this.#counter.begin();
      this.#reportSince();
      this.#isTakingOver = true;
    });
  }

  async poll(schema: Schema, signal: AbortSignal): Promise<Poll> {
    return await this.#inTurn(signal, async () => {
      this.#table.use(schema, signal);
      await this.#counter.begin();
      if (this.#counter.state) this.#newSeries.begin(this.#counter.state);
      const recent = await this.#countRecent();
      signal.throwIfAborted();
      const { durationMs } = this.#table;
      this.#reportSince();
      this.#reportWaiting(recent.isWaiting);
      if (recent.backlog === 0 && !this.#counter.isSweeping) this.#endTakeover();
      await this.#publish();
      const isBehind = await this.#catchUp(signal);
      this.#context.metrics.backlog(this.#id, sumOf(recent.backlog, this.#counter.leftToSweep));
      if (recent.backlog === 0 && !this.#counter.isSweeping && this.#counter.hasReadAll)
        this.#uncounted.arrived(this.#counter.uncounted, this.#counter.inserted);
      this.#context.metrics.uncounted(this.#id, this.#uncounted.whileStatisticsGrow(this.#counter.inserted));
      const pauseMs = this.#counter.isSweeping ? SWEEP_PAUSE_MS : undefined;
      return { durationMs, rows: recent.rows, isBehind: isBehind || (recent.backlog ?? 0) > 0, pauseMs };
    });
  }

  /** While a sweep runs, the latest result may still apply. */
  async #countRecent(): Promise<Step> {
    if (this.#recent && !this.#counter.isRecentDue) return { ...this.#recent, rows: 0 };
    this.#recent = await this.#counter.countRecent();
    this.#report(this.#recent);
    return this.#recent;
  }

  async retract(): Promise<void> {
    this.#context.metrics.backlog(this.#id, undefined);
    this.#context.metrics.uncounted(this.#id, undefined);
    // A poll that was interrupted may still be publishing.
    await this.#turn;
    await this.#send(new Map(), 0);
  }

  /** Waits for the previous turn, which may still run after its signal aborted. */
  async #inTurn<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(async () => {
      signal.throwIfAborted();
      return await work();
    });
    this.#turn = turn.catch(() => undefined);
    return await unlessAborted(signal, turn);
  }

  #reportSince(): void {
    const { state } = this.#counter;
    if (state) this.#context.metrics.countingSince(this.#id, state.startUnixMs);
  }

  /** Another poller has published the series that appeared meanwhile. */
  #endTakeover(): void {
    const { state } = this.#counter;
    if (this.#isTakingOver && state) this.#newSeries.know(state);
    this.#isTakingOver = false;
  }

  async #publish(): Promise<void> {
    const { state } = this.#counter;
    if (state && !this.#isTakingOver) await this.#send(this.#newSeries.shown(state), state.startUnixMs);
  }

  async #send(series: ReadonlyMap<string, TotalSeries>, startUnixMs: number): Promise<void> {
    const gone = [...this.#published].filter(([key]) => !series.has(key)).map(([, one]) => one);
    await publish(this.#context, metricsOf(this.#query.metrics, { series: series.values(), gone, startUnixMs }));
    this.#published = series;
  }

  /** Counts rows that a poll does not see. Resolves to whether some are left that can be counted soon. */
  async #catchUp(signal: AbortSignal): Promise<boolean> {
    const { isSweeping } = this.#counter;
    if (performance.now() < this.#catchUpAgainMs || !(isSweeping || this.#counter.isReconcileDue)) return false;
    try {
      const isBehind = await (isSweeping ? this.#sweep(signal) : this.#reconcile(signal));
      this.#catchingUp.succeeded();
      this.#catchUpFailures = 0;
      return isBehind;
    } catch (error) {
      // An interruption by shutdown is not a failure.
      signal.throwIfAborted();
      if (concernsDatabase(error) || reasonOf(error) === 'pipeline_refused') throw error;
      this.#context.metrics.failed(this.#id, reasonOf(error));
      this.#catchingUp.failed(error);
      this.#uncounted.forget();
      const firstMs = isSweeping ? FIRST_SWEEP_RETRY_MS : FIRST_RETRY_MS;
      this.#catchUpAgainMs = performance.now() + retryMs(++this.#catchUpFailures, firstMs, this.#reconcileMs);
      return false;
    }
  }

  async #sweep(signal: AbortSignal): Promise<boolean> {
    const startedAt = performance.now();
    while (this.#counter.isSweeping && performance.now() - startedAt < SWEEP_MS) {
      const step = await this.#counter.countSwept();
      signal.throwIfAborted();
      this.#report(step);
      if (step.isWaiting) return false;
      if (step.rows > 0) await this.#publish();
    }
    if (this.#counter.isSweeping) return true;
    this.#endTakeover();
    await this.#publish();
    this.#compareWithStatistics();
    return true;
  }

  async #reconcile(signal: AbortSignal): Promise<boolean> {
    const step = await this.#counter.countOlder();
    signal.throwIfAborted();
    this.#report(step);
    if (step.rows > 0) await this.#publish();
    if (step.backlog === 0 && !this.#counter.isSweeping) this.#compareWithStatistics();
    return (step.backlog ?? 0) > 0;
  }

  #compareWithStatistics(): void {
    const { uncounted, inserted } = this.#counter;
    this.#uncounted.found(uncounted, inserted);
    this.#drift.found(uncounted);
  }

  #reportWaiting(isWaiting: boolean): void {
    if (isWaiting === this.#isWaiting) return;
    this.#isWaiting = isWaiting;
    if (isWaiting)
      this.#logger.warn(
        'Counting waits, and continues on its own: the server is behind what is counted, has not written its log, or a rewrite is not settled. If it lasts, look for a standby at this address or a transaction that stays open',
      );
    else this.#logger.info('Counting continues');
  }

  #report({ replaced, dropped }: Step): void {
    for (const one of replaced) this.#context.metrics.replaced(this.#id, one);
    for (const reason of droppedValues) this.#context.metrics.dropped(this.#id, reason, dropped[reason]);
  }
}

function sumOf(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}

/** Inserted minus counted rows at the latest reading of the whole table, as long as the statistics can be compared with it. */
export class UncountedRows {
  #rows: number | undefined;
  #insertedThen = 0;
  /** True if the statistics had fewer rows than were counted. */
  #isLate = false;

  /**
   * @param rows undefined if they cannot be compared. Below 0, the statistics are late, were reset, or do not count what
   *   siphon counts: the number is unknown.
   * @param inserted the inserts in the statistics.
   */
  found(rows: number | undefined, inserted: number | undefined): void {
    this.#isLate = rows !== undefined && rows < 0;
    this.#rows = this.#isLate ? undefined : rows;
    this.#insertedThen = inserted ?? 0;
  }

  /** Statistics that were late may come without another write, so that the table is not read again. */
  arrived(rows: number | undefined, inserted: number | undefined): void {
    if (this.#isLate && rows !== undefined && rows >= 0) this.found(rows, inserted);
  }

  /** The latest reading failed, or counting started again. */
  forget(): void {
    this.#rows = undefined;
    this.#isLate = false;
  }

  /** Undefined once the statistics have fewer inserts than before, which means that they were reset. */
  whileStatisticsGrow(inserted: number | undefined): number | undefined {
    if (inserted === undefined || inserted < this.#insertedThen) this.forget();
    return this.#rows;
  }
}

/** Logs once that more rows were counted than inserted, and once that this is over. */
export class DriftReport {
  readonly #logger: Logger;
  #negativeReadings = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @param uncounted inserted minus counted rows; undefined if they cannot be compared. */
  found(uncounted: number | undefined): void {
    const isNegative = uncounted !== undefined && uncounted < 0;
    if (!isNegative && this.#negativeReadings > 1) this.#logger.info('Counted rows no longer exceed inserted rows');
    this.#negativeReadings = isNegative ? this.#negativeReadings + 1 : 0;
    // PostgreSQL's statistics are late: a single reading may be ahead of them.
    if (this.#negativeReadings === 2) {
      this.#logger.warn(
        { rows: -uncounted! },
        'More rows were counted than inserted: rows without events were updated, or the statistics were reset',
      );
    }
  }
}
