import {
  bars,
  healthyWhenEmpty,
  lines,
  type Row,
  show,
  table,
  unknownWhenEmpty,
  unknownWithoutPack,
  unusedWhenEmpty,
} from '../../../dashboards/model/panel.ts';
import { range, step } from '../../../dashboards/model/variables.ts';
import { max, sum } from '../../../dashboards/promql/aggregate.ts';
import { increase, latest, rate } from './promql.ts';
import { thresholds } from '../thresholds.ts';

const notPolled = unknownWithoutPack('postgres_health', 'pg_read_all_stats');
const noTable = unknownWhenEmpty('no table has series: see the settings top_tables and tables');

export const catalog: Row = {
  title: 'Databases, table use, indexes, sequences',
  panels: [
    table({
      title: 'Databases of the server',
      description: 'All databases, also those that are not polled. The largest ones come first.',
      labels: ['datname'],
      names: { datname: 'database' },
      sortBy: 'size',
      columns: [
        show(max(latest('database_each_size_bytes'), ['datname']), 'size'),
        show(sum(latest('database_each_connections'), ['datname']), 'connections'),
        show(sum(increase('database_each_transactions_total', range), ['datname']), 'transactions'),
        {
          ...show(max(latest('database_each_freeze_age'), ['datname']), 'freeze age'),
          thresholds: thresholds.freeze_age,
        },
      ],
      empty: notPolled,
      width: 12,
      height: 8,
    }),
    lines({
      title: 'Changes of tables',
      description: 'Rows that were inserted, updated or deleted per second, by table.',
      queries: [show(sum(rate('database_table_changes_total', step), ['table']), ({ table: name }) => name)],
      min: 0,
      empty: noTable,
      width: 6,
      height: 8,
    }),
    lines({
      title: 'Rows read by scans of whole tables',
      description: 'Rows per second that sequential scans read. Many of them in a large table ask for an index.',
      queries: [show(sum(rate('database_table_rows_scanned_total', step), ['table']), ({ table: name }) => name)],
      min: 0,
      empty: noTable,
      width: 6,
      height: 8,
    }),
    table({
      title: 'Scans of tables',
      description: 'How statements found rows.',
      labels: ['table'],
      sortBy: 'whole table',
      columns: [
        show(sum(increase('database_table_scans_total', range, { by: 'sequence' }), ['table']), 'whole table'),
        show(sum(increase('database_table_scans_total', range, { by: 'index' }), ['table']), 'index'),
        show(max(latest('database_table_bloat_bytes'), ['table']), 'bloat'),
      ],
      empty: noTable,
      width: 8,
      height: 8,
    }),
    bars({
      title: 'Indexes with a problem',
      description:
        'Invalid: its creation failed. Duplicate: another index does the same. Unused: no query has used it since the statistics were reset.',
      queries: [show(sum(latest('database_indexes_problem'), ['problem']), ({ problem }) => problem)],
      min: 0,
      empty: notPolled,
      width: 4,
      height: 8,
    }),
    table({
      title: 'Largest indexes with a problem',
      description: 'The largest five indexes of each problem. Drop them concurrently; check the standbys before.',
      labels: ['problem', 'index'],
      sortBy: 'size',
      columns: [show(max(latest('database_index_problem_bytes'), ['problem', 'index']), 'size')],
      empty: healthyWhenEmpty('no index is invalid, duplicate or unused'),
      width: 7,
      height: 8,
    }),
    bars({
      title: 'Sequences',
      description: 'The used share of the sequences that are nearest to their end, or to the limit of their column.',
      queries: [show(max(latest('database_sequence_used_ratio'), ['sequence']), ({ sequence }) => sequence)],
      min: 0,
      max: 1,
      empty: unusedWhenEmpty('no sequence that the role may read'),
      width: 5,
      height: 8,
    }),
  ],
};
