/** The tables that have series of their own. */
import type { BudgetedLabel } from '../../../metrics/metric.ts';
import { NAMED_TABLES, namedTablesValues } from '../../../components/receivers/db-poller/query.ts';
import type { Settings } from './group.ts';

export const MOST_LISTED = 50;
export const MOST_TOP = 20;

/** The largest tables and those with most dead rows may all be different ones. */
export const table: BudgetedLabel = {
  maxValues: MOST_LISTED + 2 * MOST_TOP,
  description: 'schema and name of the table',
};

/**
 * Common table expressions. `part` has a row for each table, or each partition of one, that stores rows: `root` is the
 * table that it belongs to. `chosen` has the `root` and the `name` of the tables that the configuration lists, the
 * largest ones by their pages, and the ones with most dead rows.
 *
 * Tables that a session has locked exclusively are left out: to ask for their size waits for the lock.
 */
export const CHOSEN_TABLES = `
  recursive locked as materialized (
    select coalesce(i.indrelid, l.relation) as relation
    from pg_locks l left join pg_index i on i.indexrelid = l.relation
    where l.locktype = 'relation' and l.mode = 'AccessExclusiveLock' and l.granted
      and l.database = (select oid from pg_database where datname = current_database())
  ), part as (
    select oid, oid as root from pg_class
    where relkind in ('r', 'm', 'p') and not relispartition and relpersistence <> 't'
      and relnamespace not in (
        select oid from pg_namespace where nspname in ('pg_catalog', 'information_schema') or nspname ~ '^pg_t')
    union all
    select i.inhrelid, part.root from part join pg_inherits i on i.inhparent = part.oid
    join pg_class child on child.oid = i.inhrelid and child.relispartition
  ), ranked as (
    select root, sum(relpages) as pages, sum(pg_stat_get_dead_tuples(part.oid)) as dead
    from part join pg_class using (oid) group by root
  ), chosen as (
    (select root from ranked order by pages desc, root limit $4)
    union
    (select root from ranked where dead > 0 order by dead desc, root limit $4)
    union
    (select root.oid from ${NAMED_TABLES})
    except
    select part.root from part join locked on locked.relation = part.oid
  )`;

/** The parameters of CHOSEN_TABLES. */
export function chosenTablesValues({ tables, topTables }: Settings): readonly unknown[] {
  return [...namedTablesValues(tables), topTables];
}
