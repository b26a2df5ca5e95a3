import { encodeMetricsRequest, type MetricData } from '../../collector/otlp/metrics-writer.ts';
import { send } from '../../postgres/polling/send.ts';
import type { QueryResult } from '../../postgres/read-only-pool.ts';
import { columnReader } from './answer.ts';
import type { QueryConfig } from './config.ts';
import { PublishedSeries } from './published-series.ts';
import type { PollContext, Reading, Statement } from './query-poller.ts';
import { RowDrops } from './row-drops.ts';
import { rowMetric } from './row-metric.ts';
import { scopeOf } from './scope.ts';
import { userSql } from './user-sql.ts';

/** The answer is held in memory. */
const MAX_ROWS = 50_000;

/** Makes points of the rows of a query. */
export class MetricsReading implements Reading {
  readonly #query: QueryConfig;
  readonly #intervalMs: number;
  readonly #startUnixMs: number;
  readonly #context: PollContext;
  readonly #drops: RowDrops;
  readonly #series = new PublishedSeries();

  constructor(
    id: string,
    query: QueryConfig,
    { intervalMs, startUnixMs, context }: { intervalMs: number; startUnixMs: number; context: PollContext },
  ) {
    this.#query = query;
    this.#intervalMs = intervalMs;
    this.#startUnixMs = startUnixMs;
    this.#context = context;
    context.metrics.declareDrops(id, 'points');
    this.#drops = new RowDrops((reason) => context.metrics.dropped(id, 'points', reason), {
      logger: context.logger.child({ query: id }),
      yields: 'point',
      saysNulls: !query.ignore_null_values,
    });
  }

  async read(ask: (statement: Statement) => Promise<QueryResult>): Promise<void> {
    const answer = await ask({ text: userSql(this.#query.sql), values: [], maxRows: MAX_ROWS });
    const metrics = this.#metricsOf(answer);
    this.#drops.sayOnce();
    await this.#publish(metrics);
  }

  async retract(): Promise<void> {
    await this.#publish([]);
  }

  #metricsOf({ rows, columns }: QueryResult): MetricData[] {
    const read = columnReader(columns);
    const times = { startUnixMs: this.#startUnixMs, nowUnixMs: Date.now(), intervalMs: this.#intervalMs };
    return this.#query.metrics.flatMap((config) =>
      rows.flatMap((row) => this.#drops.unlessProblem(() => rowMetric(row, read, config, times)) ?? []),
    );
  }

  async #publish(metrics: readonly MetricData[]): Promise<void> {
    const { consumer, version } = this.#context;
    await this.#series.publish(metrics, async (all) => {
      const origin = { resource: {}, scope: scopeOf(version) };
      const chunk = encodeMetricsRequest({ ...origin, timeUnixMs: Date.now(), metrics: all });
      await send(consumer, { signal: 'metrics', chunk, itemCount: all.length });
    });
  }
}
