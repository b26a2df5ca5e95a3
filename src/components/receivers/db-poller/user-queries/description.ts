import type { UserQueryConfig } from './config.ts';

/** The help text of a query's metric. The default does not contain conditions and SQL, which may have texts of the user's data. */
export function descriptionOf(query: UserQueryConfig): string {
  if (query.description !== '') return query.description;
  const { kind, name, table } = query;
  const from = table === undefined ? '' : ` from ${table}`;
  if (kind === 'counter') return `Rows of ${query.table} that the query ${name} counts`;
  return kind === 'sum'
    ? `Sum of the values that the query ${name} reads${from}`
    : `Values that the query ${name} reads${from}`;
}
