import { CHOSEN_TABLES, chosenTablesValues, table } from './chosen-tables.ts';
import { gauge, group } from './group.ts';

/**
 * An estimate from the planner's statistics: the pages of a table, as of its last vacuum or ANALYZE, minus the pages that
 * its rows would need. It can be wrong by a tenth of the table, and does not see out-of-line values. It is absent while a
 * column has no statistics, or none that the role may see: they contain values, so the role needs SELECT.
 */
export const bloat = group({
  metrics: {
    database_table_bloat_bytes: gauge(
      'database.table.bloat',
      'By',
      'Estimated space of a table that holds no rows; absent without statistics of its columns that the role may see',
      { table },
    ),
  },
  cost: 'statistics',
  isPerDatabase: true,
  pace: 'rare',
  statement: (_, settings) => ({
    text: `
      with ${CHOSEN_TABLES}, rows as (
        select part.root, c.relpages, c.reltuples, attributes.count = statistics.count and c.reltuples >= 0 as is_known,
               -- The header, with a bit for each column if one can be NULL, the values, and a pointer to the row.
               ${aligned(`23 + case when statistics.nulls > 0 then (attributes.count + 7) / 8 else 0 end`)}
                 + ${aligned('statistics.width')} + 4 as row_bytes,
               (current_setting('block_size')::int - 24) * coalesce(
                 (select option_value::int from pg_options_to_table(c.reloptions) where option_name = 'fillfactor'), 100
               ) / 100 as page_bytes
        from chosen join part using (root)
        join pg_class c on c.oid = part.oid and c.relkind <> 'p' and c.relpages > 0
        join pg_namespace n on n.oid = c.relnamespace
        cross join lateral (
          select count(*) as count from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped) attributes
        cross join lateral (
          select count(*) as count, sum((1 - null_frac) * avg_width) as width, sum(null_frac) as nulls
          from pg_stats s where s.schemaname = n.nspname and s.tablename = c.relname and not s.inherited) statistics
      )
      select nspname || '.' || relname as "table",
             case when bool_and(is_known) then
               sum(greatest(0, rows.relpages - ceil(rows.reltuples / greatest(1, floor(page_bytes / row_bytes)))))
                 * current_setting('block_size')::int
             end as database_table_bloat_bytes
      from rows join pg_class on pg_class.oid = rows.root join pg_namespace on pg_namespace.oid = relnamespace
      group by nspname, relname`,
    values: chosenTablesValues(settings),
  }),
});

/** Rows and their parts start at multiples of eight bytes. */
function aligned(bytes: string): string {
  return `(ceil((${bytes}) / 8.0) * 8)`;
}
