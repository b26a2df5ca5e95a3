import { Incident } from '../../../collector/telemetry/incident.ts';
import { concernsDatabase, reasonOf } from '../../../postgres/polling/poll-failure.ts';
import { pollRepeatedly } from '../../../postgres/polling/poll-loop.ts';
import { sleep } from '../../../postgres/polling/schedule.ts';
import { unlessAborted } from '../../../postgres/polling/unless-aborted.ts';
import { PostgresError } from '../../../postgres/postgres-error.ts';
import type { PackSchema } from '../packs/pack.ts';
import type { PollContext } from './poll-context.ts';
import type { PolledQuery } from './polled-query.ts';
import { catalogues, type SchemaProbe } from '../schema/schema-probe.ts';

/** How long to wait before asking for the rest. */
const CATCH_UP_MS = 1000;

type Work = (schema: PackSchema, signal: AbortSignal) => Promise<void>;

/** Polls one query, by itself and never twice at a time. */
export class QueryPoller {
  readonly #id: string;
  readonly #query: PolledQuery;
  readonly #intervalMs: number;
  readonly #probe: SchemaProbe | undefined;
  readonly #context: PollContext;
  readonly #incident: Incident;
  /** Aborts when it has first run. */
  #runs = new AbortController();
  #preparing: Promise<void> | undefined;

  /** @param id names the query in logs and metrics. */
  constructor(
    id: string,
    query: PolledQuery,
    options: { readonly intervalMs: number; readonly probe: SchemaProbe | undefined; readonly context: PollContext },
  ) {
    this.#id = id;
    this.#query = query;
    this.#intervalMs = options.intervalMs;
    this.#probe = options.probe;
    this.#context = options.context;
    const logger = options.context.logger.child({ query: id });
    this.#incident = new Incident(logger, { failing: 'Query failed', recovered: 'Query succeeds again' });
    options.context.metrics.declare(id);
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
    this.#context.databaseIncident.succeeded(this.#id);
    await this.#retract();
  }

  async #repeat(signal: AbortSignal, work: Work): Promise<void> {
    await pollRepeatedly(async (stopping) => await this.#attempt(stopping, work), this.#intervalMs, signal);
  }

  /** Resolves to what went wrong. */
  async #attempt(signal: AbortSignal, work: Work): Promise<unknown> {
    try {
      const schema = this.#probe ? await unlessAborted(signal, this.#probe.schema()) : catalogues;
      if (schema.missing(this.#query.needs).length > 0) await this.#query.retract();
      else await work(schema, signal);
      this.#context.databaseIncident.succeeded(this.#id);
      return undefined;
    } catch (error) {
      // What the end of the poller interrupts has not failed.
      if (!signal.aborted) await this.#failed(error);
      return error;
    }
  }

  /** Resolves to whether there is more. */
  async #pollOnce(schema: PackSchema, signal: AbortSignal): Promise<boolean> {
    const { durationMs, rows, isBehind = false } = await this.#query.poll(schema, signal);
    this.#context.databaseIncident.succeeded(this.#id);
    this.#context.metrics.succeeded(this.#id, durationMs, rows);
    this.#incident.succeeded();
    return isBehind;
  }

  async #failed(error: unknown): Promise<void> {
    const reason = reasonOf(error);
    this.#context.metrics.failed(this.#id, reason);
    if (error instanceof PostgresError && error.concernsSchema) this.#probe?.forget();
    if (concernsDatabase(error)) {
      this.#context.databaseIncident.failed(this.#id, error);
    } else {
      this.#context.databaseIncident.succeeded(this.#id);
      this.#incident.failed(error);
    }
    // Those who refused the points are not asked to take others now.
    if (reason !== 'pipeline_refused') await this.#retract();
  }

  /** What was published is no longer known to be true. */
  async #retract(): Promise<void> {
    try {
      await this.#query.retract();
    } catch (error) {
      this.#context.metrics.failed(this.#id, reasonOf(error));
    }
  }
}
