import { postgresHealthMetrics } from '../metrics.ts';
import {
  metricColumns,
  NAMED_TABLES,
  namedTablesValues,
  STORED_PARTS,
  type GaugeQuery,
} from '../../../components/receivers/db-poller/query.ts';

/** PostgreSQL reads the size of every file for it. */
export const databaseSize: GaugeQuery = {
  needs: {},
  metrics: metricColumns(postgresHealthMetrics, { database_size_bytes: 'drop', database_freeze_age: 'drop' }),
  isSlow: true,
  statement: () => ({
    text: `
      select pg_database_size(oid) as database_size_bytes, age(datfrozenxid) as database_freeze_age
      from pg_database where datname = current_database()`,
  }),
};

/**
 * Only the listed tables, which limits the number of series. A partitioned table includes all its partitions, and a table
 * its TOAST table.
 *
 * @param names as `schema.table`.
 */
export function tableSizes(names: readonly string[]): GaugeQuery {
  return {
    needs: {},
    metrics: metricColumns(postgresHealthMetrics, {
      database_table_size_bytes: 'drop',
      database_table_indexes_size_bytes: 'drop',
      database_table_rows: 'drop',
      database_table_autovacuum_age_seconds: 'drop',
      database_table_freeze_age: 'drop',
    }),
    isSlow: true,
    statement: () => ({
      text: `
        select name as "table", each.*
        from (${MEASURED}) measured
        cross join lateral (values
          (null, table_size, indexes_size, null::numeric,
           extract(epoch from greatest(now(), autovacuumed_at) - autovacuumed_at), freeze_age),
          ('live', null, null, live, null, null),
          ('dead', null, null, dead, null, null)
        ) each (state, database_table_size_bytes, database_table_indexes_size_bytes, database_table_rows,
                database_table_autovacuum_age_seconds, database_table_freeze_age)`,
      values: namedTablesValues(names),
    }),
    derive: (rows, notice) => {
      const found = new Set(rows.map(({ table }) => table));
      for (const name of names) if (!found.has(name)) notice('missing_table', name);
      return rows;
    },
  };
}

const MEASURED = `
  select name, sum(pg_table_size(part)) as table_size, sum(pg_indexes_size(part)) as indexes_size,
         sum(pg_stat_get_live_tuples(part)) as live, sum(pg_stat_get_dead_tuples(part)) as dead,
         max(pg_stat_get_last_autovacuum_time(part)) as autovacuumed_at,
         max(greatest(age(nullif(stored.relfrozenxid, '0')), age(nullif(toast.relfrozenxid, '0')))) as freeze_age
  from ${NAMED_TABLES}
  ${STORED_PARTS}
  left join pg_class toast on toast.oid = stored.reltoastrelid
  group by name`;
