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
 * | gone    | `standBy`, after `run`  | retracts its series, which another poller may publish     | → standby              |
 *
 * A shutdown leaves `leading` without `standBy`: the series stay until they expire.
 */
export class QueryPoller {
  readonly #query: QueryRun;
  readonly #intervalMs: number;
  readonly #probe: SchemaProbe | undefined;
  readonly #health: QueryHealth;
  /** Aborts when `run` is called. */
  #runs = new AbortController();
  #preparing: Promise<void> | undefined;

  /** @param id names the query in logs and metrics. */
  constructor(
    id: string,
    query: QueryRun,
    options: { readonly intervalMs: number; readonly probe: SchemaProbe | undefined; readonly context: RunContext },
  ) {
    this.#query = query;
    this.#intervalMs = options.intervalMs;
    this.#probe = options.probe;
    this.#health = new QueryHealth(id, query, options.context);
  }

  /** Polls until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    this.#runs.abort();
    await this.#preparing;
    // If the lead is lost before the first successful poll, the next standby prepares again.
    this.#preparing = undefined;
    this.#runs = new AbortController();
    await this.#repeat(signal, async (schema) => {
      while (await this.#pollOnce(schema, signal)) {
        await sleep(Math.min(CATCH_UP_MS, this.#intervalMs), signal);
        if (signal.aborted) return;
      }
    });
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

  /** Call it after `run` has ended, when another poller may publish the same series. Never rejects. */
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
      if (schema.missing(this.#query.needs).length > 0) await this.#query.retract();
      else await work(schema, signal);
    });
    if (failure instanceof PostgresError && failure.concernsSchema) this.#probe?.forget();
    return failure;
  }

  /** Resolves to whether rows are waiting. */
  async #pollOnce(schema: Schema, signal: AbortSignal): Promise<boolean> {
    const { durationMs, rows, isBehind = false } = await this.#query.poll(schema, signal);
    this.#health.succeeded(durationMs, rows);
    return isBehind;
  }
}
