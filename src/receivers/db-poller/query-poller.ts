import { encodeMetricsRequest, type Attributes, type Gauge } from '../../collector/otlp/metrics-writer.ts';
import type { Consumer } from '../../collector/component.ts';
import { PostgresError } from '../../postgres/postgres-error.ts';
import type { ReadOnlyPool, Row } from '../../postgres/read-only-pool.ts';
import type { Incidents } from './incidents.ts';
import type { PackSchema, PollQuery, ReportProblem } from './pack.ts';
import type { PollerMetrics, PollFailure } from './poller-metrics.ts';
import { firstRetryMs, nextPollMs, retryMs, sleep } from './schedule.ts';
import type { SchemaProbe } from './schema-probe.ts';
import { QuerySeries } from './series.ts';

/** What the queries of one receiver share. */
export interface PollContext {
  readonly pool: ReadOnlyPool;
  readonly consumer: Consumer;
  readonly metrics: PollerMetrics;
  readonly incidents: Incidents;
  readonly resource: Attributes;
  readonly version: string;
}

export interface QuerySchedule {
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

const MAX_ROWS = 10_000;
const noSchema: PackSchema = { table: (name) => name, has: () => true, hasIndex: () => false };

/** Polls one query, by itself and never twice at a time. */
export class QueryPoller {
  readonly #id: string;
  readonly #query: PollQuery;
  readonly #schedule: QuerySchedule;
  readonly #probe: SchemaProbe | undefined;
  readonly #context: PollContext;
  readonly #series: QuerySeries;

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
  }

  /** Polls until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { intervalMs } = this.#schedule;
    for (let failures = 0; !signal.aborted;) {
      const startedAt = performance.now();
      const failure = await this.#poll();
      failures = failure ? failures + 1 : 0;
      const pauseMs = failure
        ? retryMs(failures, firstRetryMs(concernsDatabase(failure), intervalMs), intervalMs)
        : nextPollMs(intervalMs) - (performance.now() - startedAt);
      await sleep(Math.max(0, pauseMs), signal);
    }
  }

  async #poll(): Promise<unknown> {
    try {
      await this.#pollOnce();
      this.#recovered();
      return undefined;
    } catch (error) {
      await this.#failed(error);
      return error;
    }
  }

  async #pollOnce(): Promise<void> {
    const schema = this.#probe ? await this.#probe.schema() : undefined;
    if (schema && schema.missing(this.#query.needs).length > 0) return this.#publish([]);
    const { text, values = [] } = this.#query.statement(schema ?? noSchema);
    const { timeoutMs } = this.#schedule;
    const { rows, durationMs } = await this.#context.pool.query({ text, values, timeoutMs, maxRows: MAX_ROWS });
    await this.#publish(this.#query.derive?.(rows, this.#problem) ?? rows);
    this.#context.metrics.succeeded(this.#id, durationMs, rows.length);
  }

  async #publish(rows: readonly Row[]): Promise<void> {
    const { metrics } = this.#context;
    const series = this.#series.fromRows(rows, {
      replaced: (label, reason, count) => metrics.replaced(this.#id, { label, reason, count }),
      dropped: (reason, count) => metrics.dropped(this.#id, reason, count),
    });
    await this.#series.publish(series, (gauges, points) => this.#send(gauges, points));
  }

  async #send(gauges: readonly Gauge[], itemCount: number): Promise<void> {
    const { consumer, resource, version } = this.#context;
    const scope = { name: 'siphon/db_poller', version };
    const chunk = encodeMetricsRequest({ resource, scope, timeUnixMs: Date.now(), gauges });
    try {
      await consumer.consume({ signal: 'metrics', chunks: [chunk], itemCount, sizeBytes: chunk.length });
    } catch (error) {
      throw new PipelineRefusal('the pipeline refused the points of a query', { cause: error });
    }
  }

  readonly #problem: ReportProblem = (reason, subject) => {
    this.#context.metrics.dropped(this.#id, reason, 1);
    this.#context.incidents.begin(
      `${this.#id} ${reason}`,
      { query: this.#id, reason, subject },
      'A value of the database has no meaning',
    );
  };

  async #failed(error: unknown): Promise<void> {
    const reason = reasonOf(error);
    if (reason === 'aborted') return;
    const { metrics, incidents } = this.#context;
    metrics.failed(this.#id, reason);
    if (error instanceof PostgresError && error.concernsSchema) this.#probe?.forget();
    if (concernsDatabase(error)) incidents.begin('database', { reason, err: error }, 'Database cannot be polled');
    else incidents.begin(this.#id, { query: this.#id, reason, err: error }, 'Query failed');
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

  #recovered(): void {
    this.#context.incidents.end('database', {}, 'Database can be polled again');
    this.#context.incidents.end(this.#id, { query: this.#id }, 'Query succeeds again');
  }
}

class PipelineRefusal extends Error {
  override readonly name = 'PipelineRefusal';
}

function reasonOf(error: unknown): PollFailure {
  if (error instanceof PostgresError) return error.reason;
  return error instanceof PipelineRefusal ? 'pipeline_refused' : 'internal';
}

function concernsDatabase(error: unknown): boolean {
  return error instanceof PostgresError && error.concernsDatabase;
}
