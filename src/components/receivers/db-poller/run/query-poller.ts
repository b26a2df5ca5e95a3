import { pollRepeatedly } from '../../../../postgres/polling/poll-loop.ts';
import { QueryHealth } from '../../../../postgres/polling/query-health.ts';
import { sleep } from '../../../../postgres/polling/schedule.ts';
import { unlessAborted } from '../../../../postgres/polling/unless-aborted.ts';
import { PostgresError } from '../../../../postgres/postgres-error.ts';
import type { Schema } from '../query.ts';
import type { RunContext } from './query-run.ts';
import type { QueryRun } from './query-run.ts';
import { pgCatalog, type SchemaProbe } from './schema.ts';

/** How long to wait before asking for the rest. */
const CATCH_UP_MS = 1000;

type Work = (schema: Schema, signal: AbortSignal) => Promise<void>;

/** Polls one query, by itself and never twice at a time. */
export class QueryPoller {
  readonly #query: QueryRun;
  readonly #intervalMs: number;
  readonly #probe: SchemaProbe | undefined;
  readonly #health: QueryHealth;
  /** Aborts when it has first run. */
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
    // Whoever loses the lead before it knows what there was takes note of it while standing by.
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
   * Takes note of what there is, as soon as that can be done, so that what comes until `run` is counted by it. Nothing
   * is published. Returns at once; ends when the signal aborts, or with the next `run`. Once before it is enough.
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

  /** To be called when the poller has ceased to run, and others may publish what it did. Never rejects. */
  async standBy(): Promise<void> {
    this.#health.databaseAnswered();
    await this.#health.retract();
  }

  async #repeat(signal: AbortSignal, work: Work): Promise<void> {
    await pollRepeatedly(async (stopping) => await this.#attempt(stopping, work), this.#intervalMs, signal);
  }

  /** Resolves to what went wrong. */
  async #attempt(signal: AbortSignal, work: Work): Promise<unknown> {
    const failure = await this.#health.attempt(signal, async () => {
      const schema = this.#probe ? await unlessAborted(signal, this.#probe.schema()) : pgCatalog;
      if (schema.missing(this.#query.needs).length > 0) await this.#query.retract();
      else await work(schema, signal);
    });
    if (failure instanceof PostgresError && failure.concernsSchema) this.#probe?.forget();
    return failure;
  }

  /** Resolves to whether there is more. */
  async #pollOnce(schema: Schema, signal: AbortSignal): Promise<boolean> {
    const { durationMs, rows, isBehind = false } = await this.#query.poll(schema, signal);
    this.#health.succeeded(durationMs, rows);
    return isBehind;
  }
}
