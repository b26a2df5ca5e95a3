import { PostgresError } from './postgres-error.ts';
import type { ReadOnlyPool } from './read-only-pool.ts';
import type { ReadOnlyStatement } from './read-only-transaction.ts';

/** Spelled as in pg_class. */
export interface TableName {
  readonly schema: string;
  readonly table: string;
}

const MAX_TABLES = 1000;

/**
 * The tables that a statement reads with the rights of the role itself. The statement is planned, not run. The locks of
 * the planner are read instead of the plan, because the plan lacks tables whose rows are all hidden by a policy. Empty if
 * the statement cannot be planned; running it reports the error.
 *
 * @throws PostgresError if the database does not answer
 */
export async function askedTables(
  pool: ReadOnlyPool,
  { text, values = [] }: Pick<ReadOnlyStatement, 'text' | 'values'>,
  timeoutMs: number,
): Promise<TableName[]> {
  try {
    return await pool.transaction({ timeoutMs }, async (transaction) => {
      await transaction.query({ text: `select from (${text}\n) as asked limit 0`, values, maxRows: 1 });
      const { rows } = await transaction.query({ text: LOCKED_TABLES, maxRows: MAX_TABLES });
      return rows.map((row) => ({ schema: String(row['schema_name']), table: String(row['table_name']) }));
    });
  } catch (error) {
    const failure = PostgresError.from(error);
    if (failure.concernsDatabase) throw failure;
    return [];
  }
}

/** A view reads as its owner unless it is declared as security invoker. A partition is read by the policies of its table. */
const LOCKED_TABLES = `
  with locked as (
    select class.* from pg_locks lock join pg_class class on class.oid = lock.relation
    where lock.pid = pg_backend_pid() and lock.locktype = 'relation'
      and lock.database = (select oid from pg_database where datname = current_database()))
  select schema.nspname::text as schema_name, locked.relname::text as table_name
  from locked join pg_namespace schema on schema.oid = locked.relnamespace
  where locked.relkind in ('r', 'p') and schema.nspname not in ('pg_catalog', 'information_schema')
    and not exists (select from pg_inherits join locked parent on parent.oid = inhparent where inhrelid = locked.oid)
    and not exists (
      select from locked owned
      join pg_rewrite rule on rule.ev_class = owned.oid
      join pg_depend dependency on dependency.classid = 'pg_rewrite'::regclass and dependency.objid = rule.oid
      where owned.relkind = 'v' and dependency.refobjid = locked.oid
        and not coalesce(owned.reloptions, '{}') && '{security_invoker=true,security_invoker=on,security_invoker=1}')
  order by 1, 2`;
