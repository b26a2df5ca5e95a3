import { CHOSEN_TABLES, chosenTablesValues, table } from './chosen-tables.ts';
import { counter, gauge, group } from './group.ts';

/**
 * Bounded by the number of chosen tables. A partitioned table includes all its partitions, and a table its TOAST table.
 *
 * A standby does not count rows, and a server forgets its counts in a crash. Then it counts only changes, until vacuum or
 * ANALYZE has read the table again.
 */
export const tables = group({
  metrics: {
    database_table_size_bytes: gauge(
      'database.table.size',
      'By',
      'Size of a table on disk, with its out-of-line (TOAST) data and without its indexes',
      { table },
    ),
    database_table_indexes_size_bytes: gauge(
      'database.table.indexes.size',
      'By',
      'Size of all indexes of a table on disk',
      { table },
    ),
    database_table_rows: gauge(
      'database.table.rows',
      '{row}',
      'Rows of a table as estimated by PostgreSQL: live rows, and dead rows that vacuum has not removed; absent on a standby, and after a crash of the server until the table is vacuumed or analyzed',
      { table, state: ['live', 'dead'] },
    ),
    database_table_autovacuum_age_seconds: gauge(
      'database.table.autovacuum.age',
      's',
      'Time since autovacuum last completed on a table; absent before the first time',
      { table },
    ),
    database_table_freeze_age: gauge(
      'database.table.freeze.age',
      '{transaction}',
      'Transactions since the oldest unfrozen row of a table',
      { table },
    ),
    database_table_changes_total: counter(
      'database.table.changes',
      '{row}',
      'Rows that statements inserted, updated or deleted in a table; absent on a standby',
      { table, operation: ['insert', 'update', 'delete'] },
    ),
    database_table_scans_total: counter('database.table.scans', '{scan}', 'Scans of a table, by how they find rows', {
      table,
      by: ['sequence', 'index'],
    }),
    database_table_rows_scanned_total: counter(
      'database.table.rows.scanned',
      '{row}',
      'Rows that sequential scans of a table read',
      { table },
    ),
  },
  cost: 'sizes',
  isPerDatabase: true,
  pace: 'slow',
  since: 'reset_unix_ms',
  statement: (_, settings) => ({
    text: `
      with ${CHOSEN_TABLES}, measured as (${MEASURED})
      select name as "table",
             case when kind is not null then (
               select extract(epoch from stats_reset) * 1000 from pg_stat_database where datname = current_database()
             ) end as reset_unix_ms, each.*
      from measured
      cross join lateral (values
        (null, null, null, null, table_size, indexes_size, null::numeric,
         extract(epoch from greatest(now(), autovacuumed_at) - autovacuumed_at), freeze_age,
         null::numeric, null::numeric, null::numeric),
        (null, 'live', null, null, null, null, live, null, null, null, null, null),
        (null, 'dead', null, null, null, null, dead, null, null, null, null, null),
        ('counter', null, 'insert', null, null, null, null, null, null, inserted, null, null),
        ('counter', null, 'update', null, null, null, null, null, null, updated, null, null),
        ('counter', null, 'delete', null, null, null, null, null, null, deleted, null, null),
        ('counter', null, null, 'sequence', null, null, null, null, null, null, seq_scans, seq_rows),
        ('counter', null, null, 'index', null, null, null, null, null, null, index_scans, null)
      ) each (kind, state, operation, by, database_table_size_bytes, database_table_indexes_size_bytes,
              database_table_rows, database_table_autovacuum_age_seconds, database_table_freeze_age,
              database_table_changes_total, database_table_scans_total, database_table_rows_scanned_total)`,
    values: chosenTablesValues(settings),
  }),
  derive: (rows, notice, settings) => {
    const found = new Set(rows.map(({ table: name }) => name));
    for (const name of settings.tables) if (!found.has(name)) notice('missing_table', name);
    return rows;
  },
});

const ARE_ROWS_KNOWN = `
  not pg_is_in_recovery()
  and bool_and(
    pg_relation_size(part.oid) = 0
    or coalesce(pg_stat_get_last_autovacuum_time(part.oid), pg_stat_get_last_autoanalyze_time(part.oid),
                pg_stat_get_last_vacuum_time(part.oid), pg_stat_get_last_analyze_time(part.oid)) is not null
    or stored.reltuples < 0 and pg_stat_get_live_tuples(part.oid) + pg_stat_get_dead_tuples(part.oid) > 0)`;

const MEASURED = `
  select nspname || '.' || root.relname as name,
         sum(pg_table_size(part.oid)) as table_size, sum(pg_indexes_size(part.oid)) as indexes_size,
         case when ${ARE_ROWS_KNOWN} then sum(pg_stat_get_live_tuples(part.oid)) end as live,
         case when ${ARE_ROWS_KNOWN} then sum(pg_stat_get_dead_tuples(part.oid)) end as dead,
         max(pg_stat_get_last_autovacuum_time(part.oid)) as autovacuumed_at,
         max(greatest(age(nullif(stored.relfrozenxid, '0')), age(nullif(toast.relfrozenxid, '0')))) as freeze_age,
         case when not pg_is_in_recovery() then sum(pg_stat_get_tuples_inserted(part.oid)) end as inserted,
         case when not pg_is_in_recovery() then sum(pg_stat_get_tuples_updated(part.oid)) end as updated,
         case when not pg_is_in_recovery() then sum(pg_stat_get_tuples_deleted(part.oid)) end as deleted,
         sum(pg_stat_get_numscans(part.oid)) as seq_scans, sum(pg_stat_get_tuples_returned(part.oid)) as seq_rows,
         sum(index_scans) as index_scans
  from chosen
  join pg_class root on root.oid = chosen.root
  join pg_namespace on pg_namespace.oid = root.relnamespace
  join part on part.root = chosen.root
  join pg_class stored on stored.oid = part.oid and stored.relkind <> 'p'
  left join pg_class toast on toast.oid = stored.reltoastrelid
  left join lateral (
    select sum(pg_stat_get_numscans(indexrelid)) as index_scans from pg_index where indrelid = part.oid) uses on true
  group by nspname, root.relname`;
