import { quoteIdentifier } from './identifier.ts';

/** The user's SQL without trailing semicolons, so that it can be a subquery. */
export function userSql(sql: string): string {
  return sql.replace(/[\s;]+$/, '');
}

/** The user's SQL with the rows ordered by a column, NULLs last. */
export function inOrderOf(column: string, sql: string): string {
  return `select * from (${userSql(sql)}\n) as tracked order by ${quoteIdentifier(column)} nulls last`;
}
