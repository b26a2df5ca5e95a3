/**
 * The number that a column holds: undefined for NULL, NaN for what is none. node-pg gives bigint and numeric as text;
 * empty text is not 0.
 */
export function numberOf(column: unknown): number | undefined {
  if (column === null || column === undefined) return undefined;
  if (typeof column === 'string') return column.trim() === '' ? Number.NaN : Number(column);
  return typeof column === 'number' || typeof column === 'boolean' ? Number(column) : Number.NaN;
}
