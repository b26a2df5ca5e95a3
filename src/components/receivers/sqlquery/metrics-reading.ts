import { encodeMetricsRequest, type MetricData } from '../../../engine/otlp/metrics-writer.ts';
import { send } from '../../../postgres/polling/send.ts';
import type { QueryResult } from '../../../postgres/read-only-pool.ts';
import type { QueryConfig } from './config.ts';
import { PublishedSeries } from './published-series.ts';
import type { ReadingContext, Reading, Statement } from './reading-poller.ts';
import { metricsOf, metricsStatement } from './read-metrics.ts';
import { RowDrops } from './row-drops.ts';
import { scopeOf } from './scope.ts';

/** Converts the rows of a query to points. */
export class MetricsReading implements Reading {
  readonly #query: QueryConfig;
  readonly #intervalMs: number;
  readonly #startUnixMs: number;
  readonly #context: ReadingContext;
  readonly #drops: RowDrops;
  readonly #series = new PublishedSeries();

  constructor(
    id: string,
    query: QueryConfig,
    { intervalMs, startUnixMs, context }: { intervalMs: number; startUnixMs: number; context: ReadingContext },
  ) {
    this.#query = query;
    this.#intervalMs = intervalMs;
    this.#startUnixMs = startUnixMs;
    this.#context = context;
    context.metrics.declareDrops(id, 'points');
    this.#drops = new RowDrops((reason) => context.metrics.dropped(id, 'points', reason), {
      logger: context.logger.child({ query: id }),
      yields: 'point',
      reportsNulls: !query.ignore_null_values,
    });
  }

  async read(ask: (statement: Statement) => Promise<QueryResult>): Promise<void> {
    const answer = await ask(metricsStatement(this.#query));
    const times = { startUnixMs: this.#startUnixMs, nowUnixMs: Date.now(), intervalMs: this.#intervalMs };
    const metrics = metricsOf(this.#query, answer, times, this.#drops.unlessProblem);
    this.#drops.report();
    await this.#publish(metrics);
  }

  async retract(): Promise<void> {
    await this.#publish([]);
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
