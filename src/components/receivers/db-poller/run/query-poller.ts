import { pollRepeatedly } from '../../../../postgres/polling/poll-loop.ts';
import { QueryHealth } from '../../../../postgres/polling/query-health.ts';
import { sleep } from '../../../../postgres/polling/schedule.ts';
import { unlessAborted } from '../../../../postgres/polling/unless-aborted.ts';
import { PostgresError } from '../../../../postgres/postgres-error.ts';
import type { Schema } from '../query.ts';
import type { RunContext } from './query-run.ts';
import type { QueryRun } from './query-run.ts';
import { pgCatalog, type SchemaProbe } from './schema.ts';

/** The pause before the next batch of a backlog. */
const CATCH_UP_MS = 1000;

type Work = (schema: Schema, signal: AbortSignal) => Promise<void>;

/**
 * Repeats one query independently of the others, at most one poll at a time.
 *
 * | state   | entered by              | what it does                                              | left by                |
 * |---------|-------------------------|-----------------------------------------------------------|------------------------|
 * | standby | construction, gone      | nothing until `prepare`, which repeats `QueryRun.prepare` | `run`, which ends      |
 * |         |                         | until it succeeds once; publishes nothing                 | `prepare` first        |
 * | leading | `run`                   | polls and publishes                                       | the signal of `run`    |
 * | waking  | `runOnce`               | polls once and publishes; keeps its series                | the end of `runOnce`   |
 * | gone    | `standBy`, after `run`  | retracts its series: their values would stay as they are, | → standby              |
 * |         |                         | and another poller may publish them                       |                        |
 */
export class QueryPoller {
  readonly #query: QueryRun;
  readonly #intervalMs: number;
  readonly #probe: SchemaProbe | undefined;
  /** Reports whether the database has what the query needs. A probe does that for the queries of its pack. */
  readonly #reportEnabled: (isEnabled: boolean) => void;
  readonly #health: QueryHealth;
  /** Aborts when `run` is called. */
  #runs = new AbortController();
  #preparing: Promise<void> | undefined;

  /** @param id names the query in logs and metrics. */
  constructor(
    id: string,
    query: QueryRun,
    options: {
      readonly intervalMs: number;
      readonly probe: SchemaProbe | undefined;
      /** True for SQL and tables of the user, which are known only to the query itself. */
      readonly isOfUser?: boolean;
      readonly context: RunContext;
    },
  ) {
    this.#query = query;
    this.#intervalMs = options.intervalMs;
    this.#probe = options.probe;
    const { isOfUser = false, context } = options;
    this.#reportEnabled = (isEnabled) => {
      if (isOfUser) context.metrics.enabled(id, isEnabled);
    };
    this.#health = new QueryHealth({ id, intervalMs: options.intervalMs }, query, context);
  }

  /** Polls until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    this.#runs.abort();
    await this.#preparing;
    // If the lead is lost before the first successful poll, the next standby prepares again.
    this.#preparing = undefined;
    this.#runs = new AbortController();
    await this.#repeat(signal, this.#catchUp);
  }

  /** Polls once, and further if rows are waiting. Resolves to the failure, if any, and never rejects. */
  async runOnce(signal: AbortSignal): Promise<unknown> {
    return await this.#attempt(signal, this.#catchUp);
  }

  /**
   * Remembers the existing rows as soon as possible, so that `run` counts the rows that come until then. Publishes
   * nothing. Returns immediately; the work ends when it succeeds, when the signal aborts or when `run` is called.
   */
  prepare(signal: AbortSignal): void {
    if (this.#preparing || !this.#query.prepare) return;
    const done = new AbortController();
    this.#preparing = this.#repeat(
      AbortSignal.any([signal, this.#runs.signal, done.signal]),
      async (schema, ending) => {
        await this.#query.prepare?.(schema, ending);
        done.abort();
      },
    );
  }

  /** Call it after `run` has ended, also at a shutdown: the pipeline may live on after a reload. Never rejects. */
  async standBy(): Promise<void> {
    this.#health.databaseAnswered();
    await this.#health.retract();
  }

  async #repeat(signal: AbortSignal, work: Work): Promise<void> {
    await pollRepeatedly(async (stopping) => await this.#attempt(stopping, work), this.#intervalMs, signal);
  }

  /** Resolves to the failure, if any. */
  async #attempt(signal: AbortSignal, work: Work): Promise<unknown> {
    const failure = await this.#health.attempt(signal, async () => {
      const schema = this.#probe ? await unlessAborted(signal, this.#probe.schema()) : pgCatalog;
      if (schema.missing(this.#query.needs).length === 0) return await work(schema, signal);
      this.#health.off();
      await this.#query.retract();
    });
    if (failure instanceof PostgresError && failure.concernsSchema) {
      this.#probe?.forget();
      this.#reportEnabled(false);
    }
    return failure;
  }

  readonly #catchUp: Work = async (schema, signal) => {
    for (;;) {
      const pauseMs = await this.#pollOnce(schema, signal);
      if (pauseMs === undefined) return;
      await sleep(Math.min(pauseMs, this.#intervalMs), signal);
      if (signal.aborted) return;
    }
  };

  /** Resolves to the pause after which waiting rows are read; undefined if none is waiting. */
  async #pollOnce(schema: Schema, signal: AbortSignal): Promise<number | undefined> {
    const poll = await this.#query.poll(schema, signal);
    if (poll === undefined) {
      this.#health.off();
      return undefined;
    }
    const { durationMs, rows, isBehind = false, pauseMs = CATCH_UP_MS } = poll;
    this.#health.succeeded(durationMs, rows);
    this.#reportEnabled(true);
    return isBehind ? pauseMs : undefined;
  }
}
