import { bars, lines, type Row, show, table, unknownWhenEmpty } from '../../../dashboards/model/panel.ts';
import { max, sum } from '../../../dashboards/promql/aggregate.ts';
import { ratio } from '../../../dashboards/promql/arithmetic.ts';
import { latest } from './promql.ts';
import { thresholds } from '../thresholds.ts';

const notPolled = unknownWhenEmpty('the database does not answer the poller');
const rows = 'database_table_rows';

export const tables: Row = {
  title: 'Tables, vacuum and freeze',
  panels: [
    table({
      title: 'Tables',
      description:
        'The largest tables come first. Dead rows that remain mean that vacuum cannot keep up or is held back.',
      labels: ['table'],
      sortBy: 'size',
      columns: [
        show(max(latest('database_table_size_bytes'), ['table']), 'size'),
        show(max(latest('database_table_indexes_size_bytes'), ['table']), 'indexes'),
        show(sum(latest(rows, { state: 'live' }), ['table']), 'live rows'),
        {
          ...show(ratio(sum(latest(rows, { state: 'dead' }), ['table']), sum(latest(rows), ['table'])), 'dead'),
          thresholds: thresholds.dead_rows,
        },
        show(max(latest('database_table_autovacuum_age_seconds'), ['table']), 'last autovacuum'),
        {
          ...show(max(latest('database_table_freeze_age'), ['table']), 'freeze age'),
          thresholds: thresholds.freeze_age,
        },
      ],
      empty: notPolled,
      width: 14,
      height: 9,
    }),
    bars({
      title: 'Freeze age',
      description:
        'Transactions since the oldest unfrozen row. Shortly before 2^31 PostgreSQL stops accepting writes; VACUUM FREEZE resets the age.',
      queries: [show(max(latest('database_freeze_age'), ['instance']), ({ instance }) => instance)],
      thresholds: thresholds.freeze_age,
      min: 0,
      empty: notPolled,
      width: 4,
      height: 9,
    }),
    lines({
      title: 'Dead rows',
      description: 'Dead rows that vacuum has not removed yet, by table.',
      queries: [show(sum(latest(rows, { state: 'dead' }), ['table']), ({ table: name }) => name)],
      min: 0,
      empty: notPolled,
      width: 6,
      height: 9,
    }),
  ],
};
