import {
  bars,
  lines,
  type Row,
  show,
  table,
  unknownWhenEmpty,
  unknownWithoutPack,
} from '../../../dashboards/model/panel.ts';
import { max, sum } from '../../../dashboards/promql/aggregate.ts';
import { and, compare, ratio } from '../../../dashboards/promql/arithmetic.ts';
import type { Vector } from '../../../dashboards/promql/vector.ts';
import { latest } from './promql.ts';
import { thresholds } from '../thresholds.ts';

const notPolled = unknownWithoutPack('postgres_health', 'pg_read_all_stats');
const noTables = unknownWhenEmpty(
  'no table has series: see the settings top_tables and tables of the pack postgres_health',
);
const rows = 'database_table_rows';
/** Fewer dead rows cost nothing, and in a small table autovacuum waits for a larger share. */
const MANY_DEAD = 10_000;
/** Numbers of transactions and multixacts have 32 bits, one half for the past. */
const WRAPAROUND = 2 ** 31;

export const tables: Row = {
  title: 'Tables, vacuum and freeze',
  panels: [
    table({
      title: 'Tables',
      description: `The largest tables come first. Dead rows that remain mean that vacuum cannot keep up or is held back. The share of dead rows is shown from ${MANY_DEAD} of them on.`,
      labels: ['table'],
      sortBy: 'size',
      columns: [
        show(max(latest('database_table_size_bytes'), ['table']), 'size'),
        show(max(latest('database_table_indexes_size_bytes'), ['table']), 'indexes'),
        show(sum(latest(rows, { state: 'live' }), ['table']), 'live rows'),
        show(sum(latest(rows, { state: 'dead' }), ['table']), 'dead rows'),
        {
          ...show(deadShare(), 'share dead'),
          thresholds: thresholds.dead_rows,
        },
        show(max(latest('database_table_autovacuum_age_seconds'), ['table']), 'last autovacuum'),
        {
          ...show(max(latest('database_table_freeze_age'), ['table']), 'freeze age'),
          thresholds: thresholds.freeze_age,
        },
      ],
      empty: noTables,
      width: 16,
      height: 9,
    }),
    lines({
      title: 'Dead rows',
      description: 'Dead rows that vacuum has not removed yet, by table.',
      queries: [show(sum(latest(rows, { state: 'dead' }), ['table']), ({ table: name }) => name)],
      min: 0,
      empty: noTables,
      width: 8,
      height: 9,
    }),
    bars({
      title: 'Freeze age',
      description:
        'Transactions since the oldest unfrozen row: of the polled database, and of the whole server. Shortly before 2^31 PostgreSQL stops accepting writes; VACUUM FREEZE resets the age.',
      queries: [
        show(max(latest('database_freeze_age'), ['instance']), ({ instance }) => `database ${instance}`),
        show(max(latest('database_server_freeze_age'), ['instance']), ({ instance }) => `server ${instance}`),
      ],
      thresholds: thresholds.freeze_age,
      min: 0,
      max: WRAPAROUND,
      empty: notPolled,
      width: 12,
      height: 4,
    }),
    bars({
      title: 'Multixact age',
      description:
        'Multixacts, which are row locks of several transactions, since the oldest one of the whole server. Their numbers end like those of transactions.',
      queries: [show(max(latest('database_server_multixact_age'), ['instance']), ({ instance }) => instance)],
      thresholds: thresholds.multixact_age,
      min: 0,
      max: WRAPAROUND,
      empty: notPolled,
      width: 12,
      height: 4,
    }),
  ],
};

function deadShare(): Vector<'table'> {
  const dead = sum(latest(rows, { state: 'dead' }), ['table']);
  return and(ratio(dead, sum(latest(rows), ['table'])), compare(dead, '>=', MANY_DEAD));
}
