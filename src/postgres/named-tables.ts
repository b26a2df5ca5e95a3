/** FROM clause with a row for each named table that exists: its `name`, and `root`, its row of pg_class. */
export const NAMED_TABLES = `
  unnest($1::text[], $2::text[], $3::text[]) given (name, schema_name, table_name)
  join pg_namespace on nspname = schema_name
  join pg_class root on relnamespace = pg_namespace.oid and relname = table_name and relkind in ('r', 'p', 'm')`;

/** Joins the storage of `root`: each `stored` is the row of pg_class of one partition, or of the table itself. */
export const STORED_PARTS = `
  cross join lateral (
    select root.oid where root.relkind <> 'p'
    union all
    select relid from pg_partition_tree(root.oid) where isleaf and root.relkind = 'p') parts (part)
  join pg_class stored on stored.oid = part`;

/**
 * The parameters of NAMED_TABLES.
 * @param names as `schema.table`. A schema with a dot in its name is not supported.
 */
export function namedTablesValues(names: readonly string[]): readonly (readonly string[])[] {
  const dots = names.map((name) => name.indexOf('.'));
  return [names, names.map((name, i) => name.slice(0, dots[i])), names.map((name, i) => name.slice(dots[i]! + 1))];
}
