import type { BudgetedLabel } from '../../../metrics/metric.ts';
import { gauge, group } from './group.ts';

const MOST_OF_EACH = 5;
const problem = ['unused', 'duplicate', 'invalid'] as const;
const index: BudgetedLabel = {
  maxValues: MOST_OF_EACH * problem.length,
  description: 'schema and name of the index; the largest ones',
};

/**
 * Indexes that cost writes and space for nothing.
 *
 * `invalid`: its creation failed, and queries do not use it. `duplicate`: another index of the table has the same columns,
 * operators, order and condition; the one that a constraint needs is kept. `unused`: no query has used it since the
 * statistics were reset, which is at least a day ago, and no constraint needs it. Whether standbys use it, only they know.
 * An index of a partitioned table is one index.
 */
export const indexes = group({
  metrics: {
    database_indexes_problem: gauge(
      'database.indexes.problem',
      '{index}',
      'Indexes of the polled database with a problem; unused is absent on a standby, and on a server whose statistics are younger than a day',
      { problem },
    ),
    database_index_problem_bytes: gauge(
      'database.index.problem',
      'By',
      'Size of an index with a problem, as of its last vacuum',
      { problem, index },
    ),
  },
  cost: 'statistics',
  isPerDatabase: true,
  pace: 'rare',
  statement: () => ({
    text: `
      with stored as materialized (
        select i.*, c.relname, c.relnamespace, c.relpages, c.relkind, c.relam,
               case when c.relispartition then pg_partition_root(c.oid) else c.oid end as root
        from pg_index i join pg_class c on c.oid = i.indexrelid
        where c.relnamespace not in (
          select oid from pg_namespace where nspname in ('pg_catalog', 'information_schema') or nspname ~ '^pg_t')
      ), whole as materialized (
        select root, sum(relpages::bigint) * current_setting('block_size')::int as bytes,
               sum(pg_stat_get_numscans(indexrelid)) as scans, bool_and(indisvalid) as is_valid
        from stored group by root
      ), found as (
        select whole.*, nspname || '.' || relname as index, is_valid and not indisunique and not indisexclusion
               and not indisreplident and scans = 0 as is_unused,
               is_valid and row_number() over (
                 partition by indrelid, relam, is_valid, indnkeyatts, indkey::text, indclass::text, indcollation::text,
                   indoption::text, pg_get_expr(indexprs, indrelid), pg_get_expr(indpred, indrelid)
                 order by indisprimary desc, indisreplident desc, indisunique desc, indexrelid) > 1 as is_duplicate
        from whole join stored on stored.indexrelid = whole.root
        join pg_namespace on pg_namespace.oid = relnamespace
      ), named as materialized (
        select index, bytes, root, problem from found cross join lateral (values
          ('invalid', not is_valid), ('duplicate', is_duplicate), ('unused', is_unused)
        ) judged (problem, is_so)
        where is_so and (problem <> 'unused' or ${IS_USE_KNOWN})
      )
      select problem, case when problem <> 'unused' or ${IS_USE_KNOWN} then count(named.root) end
               as database_indexes_problem,
             null as index, null::numeric as database_index_problem_bytes
      from unnest($1::text[]) known (problem) left join named using (problem) group by problem
      union all
      select problem, null, index, bytes
      from (select *, row_number() over (partition by problem order by bytes desc, root) as rank from named) ranked
      where rank <= $2`,
    values: [problem, MOST_OF_EACH],
  }),
});

/** After a crash the server forgets its counts, and sets the time of the archiver's statistics. */
const IS_USE_KNOWN = `
  (select not pg_is_in_recovery() and coalesce(greatest(d.stats_reset, a.stats_reset) < now() - interval '1 day', false)
   from pg_stat_database d, pg_stat_archiver a where datname = current_database())`;
