import type { Logger } from 'pino';
import type { StorageSpace } from '../../../../engine/storage.ts';
import { Incident } from '../../../../engine/incident.ts';
import { concernsDatabase, reasonOf } from '../../../../postgres/polling/poll-failure.ts';
import { retryMs } from '../../../../postgres/polling/schedule.ts';
import { unlessAborted } from '../../../../postgres/polling/unless-aborted.ts';
import type { CounterQuery, Schema, TableColumns } from '../query.ts';
import { publish, type Poll, type RunContext, type QueryRun } from '../run/query-run.ts';
import { Counter, type Step } from './counter.ts';
import { PostgresTable } from './postgres-table.ts';
import { metricsOf, type TotalSeries } from './totals.ts';

export interface CounterRunSettings {
  readonly timeoutMs: number;
  readonly reconcileMs: number;
  /** The timeout for the baseline and the older rows, which read the whole table. */
  readonly reconcileTimeoutMs: number;
  readonly space: StorageSpace;
}

const FIRST_RETRY_MS = 60_000;

/** Counts rows at each poll and publishes all totals, so that no series expires. */
export class CounterRun implements QueryRun {
  readonly #id: string;
  readonly #query: CounterQuery;
  readonly #context: RunContext;
  readonly #reconcileMs: number;
  readonly #table: PostgresTable;
  readonly #counter: Counter;
  readonly #reconciling: Incident;
  readonly #drift: DriftReport;
  #published: ReadonlyMap<string, TotalSeries> = new Map();
  #turn: Promise<unknown> = Promise.resolve();
  #reconcileFailures = 0;
  #reconcileAgainMs = 0;
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
    this.#reconciling = new Incident(logger, {
      failing: 'Older rows cannot be counted; siphon will try again',
      recovered: 'Older rows are counted again',
    });
    this.#drift = new DriftReport(logger);
    context.metrics.declareCounter(id);
    this.#counter = new Counter({
      query,
      name: id,
      table: this.#table,
      space: settings.space,
      timeoutMs: settings.timeoutMs,
      longTimeoutMs: settings.reconcileTimeoutMs,
      reconcileMs: settings.reconcileMs,
      onRebaseline: (reason) => {
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
      const recent = await this.#counter.countRecent();
      signal.throwIfAborted();
      const { durationMs } = this.#table;
      this.#reportSince();
      this.#report(recent);
      this.#context.metrics.backlog(this.#id, recent.backlog);
      if (recent.backlog === 0) this.#isTakingOver = false;
      await this.#publish();
      const older = await this.#reconcile(signal);
      return { durationMs, rows: recent.rows, isBehind: recent.backlog + older > 0 };
    });
  }

  async retract(): Promise<void> {
    this.#context.metrics.backlog(this.#id, undefined);
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

  async #publish(): Promise<void> {
    const { state } = this.#counter;
    if (state && !this.#isTakingOver) await this.#send(state.totals.series, state.startUnixMs);
  }

  async #send(series: ReadonlyMap<string, TotalSeries>, startUnixMs: number): Promise<void> {
    const gone = [...this.#published].filter(([key]) => !series.has(key)).map(([, one]) => one);
    const metrics = this.#query.metrics.map(({ metric }) => metric);
    await publish(this.#context, metricsOf(metrics, { series: series.values(), gone, startUnixMs }));
    this.#published = series;
  }

  /** Resolves to the number of older rows that are left. */
  async #reconcile(signal: AbortSignal): Promise<number> {
    if (!this.#counter.isReconcileDue || performance.now() < this.#reconcileAgainMs) return 0;
    try {
      const step = await this.#counter.countOlder();
      signal.throwIfAborted();
      this.#reconciling.succeeded();
      this.#reconcileFailures = 0;
      this.#report(step);
      if (step.rows > 0) await this.#publish();
      if (step.backlog === 0) this.#compareWithStatistics();
      return step.backlog;
    } catch (error) {
      // An interruption by shutdown is not a failure.
      signal.throwIfAborted();
      if (concernsDatabase(error) || reasonOf(error) === 'pipeline_refused') throw error;
      this.#context.metrics.failed(this.#id, reasonOf(error));
      this.#reconciling.failed(error);
      this.#reconcileAgainMs =
        performance.now() + retryMs(++this.#reconcileFailures, FIRST_RETRY_MS, this.#reconcileMs);
      return 0;
    }
  }

  #compareWithStatistics(): void {
    const { uncounted } = this.#counter;
    this.#context.metrics.uncounted(this.#id, uncounted);
    this.#drift.found(uncounted);
  }

  #report({ replaced, notNumbers }: Step): void {
    for (const one of replaced) this.#context.metrics.replaced(this.#id, one);
    this.#context.metrics.dropped(this.#id, 'not_a_number', notNumbers);
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
