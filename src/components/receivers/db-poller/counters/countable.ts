/** SQL of the kind of a table, as `pg_class.relkind` names them; one with a foreign partition is foreign. */
export function kindOf(table: string): string {
  return `
    case when ${table}.relkind = 'p'
              and exists (select from pg_partition_tree(${table}.oid) part join pg_class stored on stored.oid = part.relid
                          where stored.relkind = 'f')
         then 'f' else ${table}.relkind end::text`;
}

/** Their rows have no number of a transaction, or one that says nothing of when they came. */
const uncountable: Readonly<Record<string, string>> = {
  f: 'a foreign table, or has one among its partitions',
  m: 'a materialized view',
  v: 'a view',
};

/** Why the rows of a table of this kind cannot be counted; undefined if they can. */
export function whyUncountable(
  table: string,
  kind: string,
): { readonly what: string; readonly repair: string } | undefined {
  const what = uncountable[kind];
  if (what === undefined) return undefined;
  return { what: `the rows of ${table} cannot be counted: it is ${what}`, repair: 'Count those of an ordinary table' };
}
