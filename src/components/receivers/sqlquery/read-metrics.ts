import type { MetricData } from '../../../engine/otlp/metrics-writer.ts';
import type { QueryResult } from '../../../postgres/read-only-pool.ts';
import { columnReader } from './answer.ts';
import type { QueryConfig } from './config.ts';
import type { Statement } from './reading-poller.ts';
import { rowMetric, type PollTimes, type UnlessProblem } from './row-metric.ts';
import { userSql } from '../../../postgres/user-sql.ts';

/** The answer is held in memory. */
const MAX_ROWS = 50_000;

export function metricsStatement({ sql }: QueryConfig): Statement {
  return { sql: userSql(sql), text: userSql(sql), values: [], maxRows: MAX_ROWS };
}

/** One metric for each row and each entry of `metrics`, unless the row has a problem. */
export function metricsOf(
  query: QueryConfig,
  { rows, columns }: Pick<QueryResult, 'rows' | 'columns'>,
  times: PollTimes,
  unlessProblem: UnlessProblem,
): MetricData[] {
  const read = columnReader(columns);
  return query.metrics.flatMap((config) =>
    rows.flatMap((row) => unlessProblem(() => rowMetric(row, read, config, times)) ?? []),
  );
}
