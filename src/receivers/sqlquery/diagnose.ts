import type { DiagnosisSettings, Finding } from '../../collector/diagnosis.ts';
import { PostgresError } from '../../postgres/postgres-error.ts';
import type { QueryResult, ReadOnlyPool } from '../../postgres/read-only-pool.ts';
import type { SqlqueryConfig } from './config.ts';
import { openPool, scheduleOf } from './pool-settings.ts';
import { plannedReadings, type PlannedReading } from './planned-readings.ts';
import { inOrderOf, userSql } from './user-sql.ts';

/** Runs each query once, one after the other, and looks for the columns that its metrics and logs name. */
export async function* diagnose(
  { signals, deadline, progress }: DiagnosisSettings,
  config: SqlqueryConfig,
): AsyncGenerator<Finding> {
  const pool = openPool(config, { readings: 1, onConnect: () => undefined });
  const close = (): void => void pool.close();
  deadline.addEventListener('abort', close, { once: true });
  try {
    for (const reading of plannedReadings(config.queries, signals).planned) {
      progress(`query ${reading.id}`);
      const { timeoutMs } = scheduleOf(reading.query, config);
      const answer = await ask(pool, reading, timeoutMs);
      yield* answer instanceof PostgresError ? [failure(reading, answer)] : findingsOf(reading, answer);
      // The other queries would only say the same.
      if (answer instanceof PostgresError && answer.concernsDatabase) return;
    }
  } finally {
    deadline.removeEventListener('abort', close);
    await pool.close();
  }
}

/** One row tells the columns. */
async function ask(
  pool: ReadOnlyPool,
  { query, signal }: PlannedReading,
  timeoutMs: number,
): Promise<QueryResult | PostgresError> {
  const { sql, tracking_column: column, tracking_start_value: start } = query;
  const isTracked = signal === 'logs' && column !== undefined;
  const text = isTracked ? `${inOrderOf(column, sql)} limit 1` : userSql(sql);
  try {
    return await pool.query({ text, values: isTracked ? [start] : [], timeoutMs, maxRows: 50_000, asText: true });
  } catch (error) {
    return PostgresError.from(error);
  }
}

function failure({ id }: PlannedReading, error: PostgresError): Finding {
  return { severity: 'error', what: `query ${id}: ${error.message}` };
}

function findingsOf({ id, query, signal }: PlannedReading, { columns, rows, durationMs }: QueryResult): Finding[] {
  const wanted = signal === 'metrics' ? query.metrics.flatMap(columnsOfMetric) : query.logs.flatMap(columnsOfLogs);
  const missing = [...new Set(wanted)].filter((column) => !columns.has(column));
  if (missing.length === 0) {
    const amount = rows.length === 0 ? 'gives no row' : 'gives rows';
    return [{ severity: 'ok', what: `query ${id} ${amount}, in ${Math.round(durationMs)} ms` }];
  }
  const repair = `Select them, or name others; it has ${[...columns.keys()].join(', ')}`;
  return [{ severity: 'error', what: `query ${id} has no column ${missing.join(', ')}`, repair }];
}

function columnsOfMetric(metric: SqlqueryConfig['queries'][number]['metrics'][number]): string[] {
  const { value_column, attribute_columns, ts_column, start_ts_column, row_condition } = metric;
  return [value_column, ...attribute_columns, ts_column, start_ts_column, row_condition?.column].flatMap(
    (one) => one ?? [],
  );
}

function columnsOfLogs(logs: SqlqueryConfig['queries'][number]['logs'][number]): string[] {
  return [logs.body_column, ...logs.attribute_columns];
}
