import type { BudgetedLabel } from '../../../metrics/metric.ts';
import { gauge, group } from './group.ts';

const MOST_SEQUENCES = 5;
const sequence: BudgetedLabel = {
  maxValues: MOST_SEQUENCES,
  description: 'schema and name of the sequence; those nearest to their end',
};

/**
 * A sequence ends at its own limit, or at that of the column that owns it, whichever comes first. Sequences that start
 * again at their end do not count, and neither do temporary ones.
 */
export const sequences = group({
  metrics: {
    database_sequence_used_ratio: gauge(
      'database.sequence.used',
      '1',
      'Share of the values of a sequence that are used; at 1 inserts fail',
      { sequence },
    ),
    database_sequences_unreadable: gauge(
      'database.sequences.unreadable',
      '{sequence}',
      'Sequences of the polled database that the role may not read',
    ),
  },
  cost: 'statistics',
  isPerDatabase: true,
  pace: 'rare',
  readsSequences: true,
  statement: () => ({
    text: `
      with known as materialized (
        select nspname || '.' || relname as sequence, seqincrement > 0 as ascends, seqmin, seqmax, typ.oid as column_type,
               case when not has_sequence_privilege(c.oid, 'select, usage') then null
                    -- The value is on no page of a standby.
                    when relpersistence = 'u' and pg_is_in_recovery() then null
                    else coalesce(pg_sequence_last_value(c.oid)::numeric, case when seqincrement > 0 then seqmin - 1::numeric else seqmax + 1::numeric end)
               end as last_value
        from pg_sequence join pg_class c on c.oid = seqrelid join pg_namespace n on n.oid = relnamespace
        left join pg_depend on classid = 'pg_class'::regclass and objid = c.oid and refclassid = 'pg_class'::regclass
             and refobjsubid > 0 and deptype in ('a', 'i')
        left join pg_attribute on attrelid = refobjid and attnum = refobjsubid
        left join pg_type typ on typ.oid = atttypid
        where not seqcycle and relpersistence <> 't'
          and not exists (select from pg_locks where relation = c.oid and mode = 'AccessExclusiveLock'
                          and database = (select oid from pg_database where datname = current_database()))
      ), used as (
        select sequence, case when ascends
                 then (last_value - seqmin + 1) / (least(seqmax, column_max)::numeric - seqmin + 1)
                 else (seqmax - last_value + 1) / (seqmax::numeric - greatest(seqmin, -column_max - 1) + 1) end as ratio
        from known cross join lateral (
          select case column_type when 'int2'::regtype then 32767 when 'int4'::regtype then 2147483647
                                  else 9223372036854775807 end as column_max) limits
      )
      select null as sequence, null::numeric as database_sequence_used_ratio,
             count(*) filter (where ratio is null) as database_sequences_unreadable from used
      union all
      (select sequence, ratio, null from used where ratio is not null order by ratio desc, sequence limit $1)`,
    values: [MOST_SEQUENCES],
  }),
});
