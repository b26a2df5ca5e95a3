import type { Finding } from '../../../engine/component.ts';
import type { QueryResult } from '../../../postgres/read-only-pool.ts';
import type { MetricConfig, QueryConfig } from './config.ts';
import type { PlannedReading } from './planned-readings.ts';
import { overwritten } from './published-series.ts';
import { recordsOf, wholeTies } from './read-logs.ts';
import { metricsOf } from './read-metrics.ts';
import { unlessProblem, type DropReason, type RowProblem } from './row-metric.ts';

/** The problems of an answer that keep rows from becoming points or records. @throws PostgresError like the receiver */
export function answerFindings(reading: PlannedReading, answer: QueryResult): Finding[] {
  const { id, query, signal } = reading;
  const missing = wantedColumns(query, signal).filter((column) => !answer.columns.has(column));
  if (missing.length > 0) {
    const repair = `Select them, or use existing columns: ${[...answer.columns.keys()].join(', ')}`;
    return [{ severity: 'error', what: `query ${id} has no column ${missing.join(', ')}`, repair }];
  }
  return signal === 'metrics' ? pointFindings(reading, answer) : recordFindings(reading, answer);
}

function wantedColumns(query: QueryConfig, signal: PlannedReading['signal']): string[] {
  const wanted =
    signal === 'metrics'
      ? query.metrics.flatMap(columnsOfMetric)
      : query.logs.flatMap(({ body_column, attribute_columns }) => [body_column, ...attribute_columns]);
  return [...new Set(wanted)];
}

function columnsOfMetric(metric: MetricConfig): string[] {
  const { value_column, attribute_columns, ts_column, start_ts_column, row_condition } = metric;
  return [value_column, ...attribute_columns, ts_column, start_ts_column, row_condition?.column].flatMap(
    (one) => one ?? [],
  );
}

function pointFindings(reading: PlannedReading, answer: QueryResult): Finding[] {
  const problems: RowProblem[] = [];
  const nowUnixMs = Date.now();
  const times = { startUnixMs: nowUnixMs, nowUnixMs, intervalMs: 0 };
  const noting = unlessProblem((problem) => problems.push(problem));
  const metrics = metricsOf(reading.query, answer, times, noting);
  const lost = overwritten(metrics);
  return [
    ...problemFindings(reading, problems, metrics.length),
    ...(lost > 0 ? [sameSeries(reading, lost, answer)] : []),
  ];
}

function recordFindings(reading: PlannedReading, answer: QueryResult): Finding[] {
  const problems: RowProblem[] = [];
  const batch = { ...answer, rows: wholeTies(reading.query, answer.rows) };
  const noting = unlessProblem((problem) => problems.push(problem));
  const records = recordsOf(reading.query, batch, noting);
  return problemFindings(reading, problems, records.length);
}

/** NULL values are expected. They are reported only if the query yields nothing else and `ignore_null_values` is not set. */
function problemFindings(query: PlannedReading, problems: readonly RowProblem[], given: number): Finding[] {
  const saysNulls = given === 0 && !query.query.ignore_null_values;
  const worth = problems.filter(({ reason }) => reason !== 'null' || saysNulls);
  return [...Map.groupBy(worth, ({ message }) => message)].map(([message, alike]) => {
    const { reason } = alike[0]!;
    return {
      severity: given === 0 && reason !== 'null' ? 'error' : 'warning',
      what: `query ${query.id} ignores ${alike.length} of its rows: ${message}`,
      repair: repairs[reason],
    };
  });
}

const repairs: Readonly<Record<DropReason, string>> = {
  null: 'Exclude these rows, or replace NULL with coalesce()',
  missing_column: 'Select it, or use another column',
  not_a_number: 'Set value_type: double if it has a fraction, or cast it in SQL',
  bad_timestamp: 'Use whole nanoseconds since 1970, such as (extract(epoch from t) * 1e9)::bigint',
};

function sameSeries({ id, query }: PlannedReading, count: number, { columns }: QueryResult): Finding {
  const used = wantedColumns(query, 'metrics');
  const unused = [...columns.keys()].filter((column) => !used.includes(column));
  const naming =
    unused.length === 0 ? '' : `, or add columns to attribute_columns that distinguish them: ${unused.join(', ')}`;
  const what = `query ${id} loses ${count} points to other points with the same attributes`;
  return { severity: 'warning', what, repair: `Aggregate the rows in SQL${naming}` };
}
