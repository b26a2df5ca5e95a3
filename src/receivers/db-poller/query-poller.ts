import type { Logger } from 'pino';
import type { Consumer } from '../../collector/component.ts';
import { encodeMetricsRequest, type Attributes, type MetricData } from '../../collector/otlp/metrics-writer.ts';
import { Incident } from '../../collector/telemetry/incident.ts';
import { concernsDatabase, reasonOf } from '../../postgres/polling/poll-failure.ts';
import { pollRepeatedly } from '../../postgres/polling/poll-loop.ts';
import { send } from '../../postgres/polling/send.ts';
import type { SharedIncident } from '../../postgres/polling/shared-incident.ts';
import { unlessAborted } from '../../postgres/polling/unless-aborted.ts';
import { PostgresError } from '../../postgres/postgres-error.ts';
import type { ReadOnlyPool, Row } from '../../postgres/read-only-pool.ts';
import { InvalidCrons } from './invalid-crons.ts';
import type { PackSchema, PollQuery } from './pack.ts';
import type { PollerMetrics } from './poller-metrics.ts';
import type { SchemaProbe } from './schema-probe.ts';
import { QuerySeries } from './series.ts';

/** What the queries of one receiver share. */
export interface PollContext {
  readonly pool: ReadOnlyPool;
  readonly consumer: Consumer;
  readonly metrics: PollerMetrics;
  readonly logger: Logger;
  readonly databaseIncident: SharedIncident;
  readonly resource: Attributes;
  readonly version: string;
}

export interface QuerySchedule {
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** Ten thousand roasters with both cadences, and then some. */
const MAX_ROWS = 50_000;
const noSchema: PackSchema = { table: (name) => name, has: () => true, hasIndex: () => false };

/** Polls one query, by itself and never twice at a time. */
export class QueryPoller {
  readonly #id: string;
  readonly #query: PollQuery;
  readonly #schedule: QuerySchedule;
  readonly #probe: SchemaProbe | undefined;
  readonly #context: PollContext;
  readonly #series: QuerySeries;
  readonly #incident: Incident;
  readonly #invalidCrons: InvalidCrons;

  /** @param id names the query in logs and metrics. */
  constructor(
    id: string,
    query: PollQuery,
    options: QuerySchedule & { probe: SchemaProbe | undefined; context: PollContext },
  ) {
    this.#id = id;
    this.#query = query;
    this.#schedule = options;
    this.#probe = options.probe;
    this.#context = options.context;
    this.#series = new QuerySeries(query);
    const logger = options.context.logger.child({ query: id });
    this.#incident = new Incident(logger, { failing: 'Query failed', recovered: 'Query succeeds again' });
    this.#invalidCrons = new InvalidCrons(logger);
    options.context.metrics.declare(id);
  }

  /** Polls until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await pollRepeatedly((stopping) => this.#poll(stopping), this.#schedule.intervalMs, signal);
  }

  /** To be called when the poller has ceased to run, and others may publish what it did. Never rejects. */
  async standBy(): Promise<void> {
    this.#context.databaseIncident.succeeded(this.#id);
    await this.#retract();
  }

  /** Resolves to what went wrong. */
  async #poll(signal: AbortSignal): Promise<unknown> {
    try {
      const schema = this.#probe ? await unlessAborted(signal, this.#probe.schema()) : undefined;
      if (schema && schema.missing(this.#query.needs).length > 0) await this.#stayOff();
      else await this.#pollOnce(schema ?? noSchema, signal);
      return undefined;
    } catch (error) {
      // What the end of the poller interrupts has not failed.
      if (!signal.aborted) await this.#failed(error);
      return error;
    }
  }

  async #stayOff(): Promise<void> {
    this.#context.databaseIncident.succeeded(this.#id);
    await this.#publish([]);
  }

  async #pollOnce(schema: PackSchema, signal: AbortSignal): Promise<void> {
    const { text, values = [] } = this.#query.statement(schema);
    const { timeoutMs } = this.#schedule;
    const { rows, durationMs } = await unlessAborted(
      signal,
      this.#context.pool.query({ text, values, timeoutMs, maxRows: MAX_ROWS, signal }),
    );
    this.#context.databaseIncident.succeeded(this.#id);
    await this.#publish(this.#derived(rows));
    this.#context.metrics.succeeded(this.#id, durationMs, rows.length);
    this.#incident.succeeded();
  }

  #derived(rows: readonly Row[]): readonly Row[] {
    if (!this.#query.derive) return rows;
    const invalid: string[] = [];
    const derived = this.#query.derive(rows, (subject) => invalid.push(subject));
    this.#context.metrics.dropped(this.#id, 'invalid_cron', invalid.length);
    this.#invalidCrons.found(invalid);
    return derived;
  }

  async #publish(rows: readonly Row[]): Promise<void> {
    const { metrics } = this.#context;
    const series = this.#series.fromRows(rows, {
      replaced: (label, reason, count) => metrics.replaced(this.#id, { label, reason, count }),
      dropped: (reason, count) => metrics.dropped(this.#id, reason, count),
    });
    await this.#series.publish(series, (data, points) => this.#send(data, points));
  }

  async #send(data: readonly MetricData[], itemCount: number): Promise<void> {
    const { consumer, resource, version } = this.#context;
    const scope = { name: 'siphon/db_poller', version };
    const chunk = encodeMetricsRequest({ resource, scope, timeUnixMs: Date.now(), metrics: data });
    await send(consumer, { signal: 'metrics', chunk, itemCount });
  }

  async #failed(error: unknown): Promise<void> {
    const reason = reasonOf(error);
    this.#context.metrics.failed(this.#id, reason);
    if (error instanceof PostgresError && error.concernsSchema) this.#probe?.forget();
    if (concernsDatabase(error)) this.#context.databaseIncident.failed(this.#id, error);
    else this.#incident.failed(error);
    // Those who refused the points are not asked to take others now.
    if (reason !== 'pipeline_refused') await this.#retract();
  }

  /** What was published is no longer known to be true. */
  async #retract(): Promise<void> {
    try {
      await this.#publish([]);
    } catch (error) {
      this.#context.metrics.failed(this.#id, reasonOf(error));
    }
  }
}
