import type { LogRecord } from '../../../engine/otlp/logs-writer.ts';
import { PostgresError } from '../../../postgres/postgres-error.ts';
import type { QueryResult, Row } from '../../../postgres/read-only-pool.ts';
import { columnReader } from './answer.ts';
import type { QueryConfig } from './config.ts';
import type { Statement } from './reading-poller.ts';
import { attributesOf, present, type UnlessProblem } from './row-metric.ts';
import { inOrderOf, userSql } from '../../../postgres/user-sql.ts';

/** The size of one batch. With tracking, the rest is read next. */
const MAX_ROWS = 5000;

/** @param after the value of the tracking column up to which rows were read. */
export function logsStatement({ sql, tracking_column: column }: QueryConfig, after: string): Statement {
  const written = { sql: userSql(sql) };
  if (column === undefined) return { ...written, text: userSql(sql), values: [], maxRows: MAX_ROWS };
  const text = `${inOrderOf(column, sql)} limit ${MAX_ROWS + 1}`;
  return { ...written, text, values: [after], maxRows: MAX_ROWS + 1 };
}

/**
 * The rows, without those at the end whose value of the tracking column continues beyond the batch: reading on after that
 * value would skip the rest.
 *
 * @throws PostgresError if no row is left
 */
export function wholeTies({ tracking_column: column }: QueryConfig, rows: readonly Row[]): readonly Row[] {
  if (column === undefined || rows.length <= MAX_ROWS) return rows;
  const value = rows.at(-1)?.[column];
  const end = rows.findLastIndex((row) => row[column] !== value) + 1;
  if (end === 0)
    throw new PostgresError('too_many_rows', `more than ${MAX_ROWS} rows with one value of the tracking column`);
  return rows.slice(0, end);
}

/** One record for each row and each entry of `logs`, unless the row has a problem. */
export function recordsOf(
  query: QueryConfig,
  { rows, columns }: Pick<QueryResult, 'rows' | 'columns'>,
  unlessProblem: UnlessProblem,
): LogRecord[] {
  const read = columnReader(columns);
  return query.logs.flatMap((config) =>
    rows.flatMap((row): LogRecord | [] => {
      const record = (): LogRecord => ({
        body: present(read, row, config.body_column),
        attributes: attributesOf(row, read, config),
      });
      return unlessProblem(record) ?? [];
    }),
  );
}
