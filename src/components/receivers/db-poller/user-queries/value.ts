import { quoteIdentifier } from '../../../../postgres/identifier.ts';
import type { UserQueryConfig } from './config.ts';
import { columnsOf, numberSql } from './expression.ts';

/** The column of an answer with the value. */
export const VALUE = 'siphon_value';

/** The columns of the table from which the value is computed. A counter of rows has none. */
export function valueColumns(config: UserQueryConfig): string[] {
  if (config.kind === 'counter') return [];
  return config.value === undefined ? [config.value_column!] : columnsOf(config.value);
}

/** The select list with the value, from the row `entry`. */
export function valueSql(config: UserQueryConfig): string[] {
  if (config.kind === 'counter') return [];
  const { value, value_column } = config;
  return [`${value === undefined ? `entry.${quoteIdentifier(value_column!)}` : numberSql(value)} as ${VALUE}`];
}
