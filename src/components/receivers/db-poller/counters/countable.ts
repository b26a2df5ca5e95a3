/** SQL that returns the kind of a table as in `pg_class.relkind`. A table with a foreign partition is foreign. */
export function kindOf(table: string): string {
  return `
    case when ${table}.relkind = 'p'
              and exists (select from pg_partition_tree(${table}.oid) part join pg_class stored on stored.oid = part.relid
                          where stored.relkind = 'f')
         then 'f' else ${table}.relkind end::text`;
}

/** Kinds whose rows have no transaction number, or one that does not depend on when the row was inserted. */
const uncountable: Readonly<Record<string, string>> = {
  f: 'a foreign table, or has one among its partitions',
  m: 'a materialized view',
  v: 'a view',
};

/** The reason why rows of this kind of table cannot be counted. Undefined: they can. */
export function whyUncountable(
  table: string,
  kind: string,
): { readonly what: string; readonly repair: string } | undefined {
  const what = uncountable[kind];
  if (what === undefined) return undefined;
  return {
    what: `the rows of ${table} cannot be counted: it is ${what}`,
    repair: 'Count the rows of an ordinary table',
  };
}
