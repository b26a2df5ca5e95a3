import { PostgresError } from '../../../../postgres/postgres-error.ts';
import type { QueryResult, ReadOnlyPool, Row, TransactionLimits } from '../../../../postgres/read-only-pool.ts';
import { locatingMistakes } from '../../../../postgres/sql-mistake.ts';
import type { Schema, Remark, GaugeQuery } from '../query.ts';

/** Two rows for each of ten thousand subjects, with room to spare. */
const MAX_ROWS = 50_000;

export interface GaugeAnswer {
  /** Including the values that `derive` computed. */
  readonly rows: readonly Row[];
  /** The number of rows that the database returned. */
  readonly rowCount: number;
  readonly durationMs: number;
  readonly columns: QueryResult['columns'];
  readonly remarks: Remarks;
}

/** The subjects of each remark. */
export type Remarks = ReadonlyMap<Remark, readonly string[]>;

/** Runs the query once. @throws PostgresError, also if the answer lacks a column */
export async function askGauges(
  query: GaugeQuery,
  schema: Schema,
  { pool, ...limits }: TransactionLimits & { readonly pool: ReadOnlyPool },
): Promise<GaugeAnswer> {
  const { text, values = [] } = query.statement(schema);
  const answer = pool.query({ text, values, ...limits, maxRows: MAX_ROWS, parsed: 'scalars' });
  const { sql } = query;
  const { rows, columns, durationMs } = await (sql === undefined
    ? answer
    : locatingMistakes(answer, { key: 'sql', sql, statement: text }));
  const missing = (query.columns ?? []).filter((column) => !columns.has(column));
  if (missing.length > 0) throw lacking(missing, [...columns.keys()]);
  const remarks = new Map<Remark, string[]>();
  const derived = query.derive?.(rows, (remark, subject) => {
    remarks.set(remark, [...(remarks.get(remark) ?? []), subject]);
  });
  return { rows: derived ?? rows, rowCount: rows.length, durationMs, columns, remarks };
}

function lacking(missing: readonly string[], present: readonly string[]): PostgresError {
  return new PostgresError('missing_column', `the answer has no column ${missing.join(', ')}`, {
    repair: `Select it, or use another column: ${present.join(', ')}`,
  });
}
