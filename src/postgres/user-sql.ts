import { quoteIdentifier } from './identifier.ts';

/** The user's text as it can stand in a subquery: without the semicolons at its end. */
export function userSql(sql: string): string {
  return sql.replace(/[\s;]+$/, '');
}

/** The same with the rows in the order of a column; those without a value come last. */
export function inOrderOf(column: string, sql: string): string {
  return `select * from (${userSql(sql)}\n) as tracked order by ${quoteIdentifier(column)} nulls last`;
}
