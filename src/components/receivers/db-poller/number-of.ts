import { decimalOf } from '../../../postgres/polling/decimal.ts';

/** The number that a column holds: undefined for NULL, NaN for what is none. node-pg gives bigint and numeric as text. */
export function numberOf(column: unknown): number | undefined {
  if (column === null || column === undefined) return undefined;
  if (typeof column === 'string') return decimalOf(column.trim()) ?? Number.NaN;
  return typeof column === 'number' || typeof column === 'boolean' ? Number(column) : Number.NaN;
}
