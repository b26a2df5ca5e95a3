import { healthyWhenEmpty, lines, type Row, show, table, unknownWhenEmpty } from '../../../dashboards/model/panel.ts';
import { range, step } from '../../../dashboards/model/variables.ts';
import { sum } from '../../../dashboards/promql/aggregate.ts';
import { happened } from '../../../dashboards/promql/arithmetic.ts';
import { increase, rate } from './promql.ts';

const notCounted = unknownWhenEmpty('no extension pg_stat_statements, or the role may not read it: see siphon doctor');

/** The database from its own count of statements. */
export const statements: Row = {
  title: 'Statements, as the database counts them',
  panels: [
    table({
      title: 'Statements by time',
      description:
        'The statements that took most time since the statistics were reset. Find one by its queryid in pg_stat_statements.',
      labels: ['statement', 'queryid'],
      sortBy: 'time',
      columns: [
        show(sum(increase('database_statement_time_seconds_total', range), ['statement', 'queryid']), 'time'),
        show(sum(increase('database_statement_calls_total', range), ['statement', 'queryid']), 'calls'),
        show(sum(increase('database_statement_rows_total', range), ['statement', 'queryid']), 'rows'),
        show(sum(increase('database_statement_blocks_read_total', range), ['statement', 'queryid']), 'blocks read'),
      ],
      empty: notCounted,
      width: 24,
      height: 9,
    }),
    lines({
      title: 'Time of statements',
      description: 'Time that a statement was executed within each step, added over all sessions.',
      queries: [
        show(sum(increase('database_statement_time_seconds_total', step), ['statement']), ({ statement }) => statement),
      ],
      min: 0,
      empty: notCounted,
      width: 12,
      height: 8,
    }),
    lines({
      title: 'Blocks in temporary files',
      description: 'Blocks that a statement wrote to disk because its sort or hash did not fit into work_mem.',
      queries: [
        show(
          happened(sum(rate('database_statement_temp_blocks_written_total', step), ['statement'])),
          ({ statement }) => statement,
        ),
      ],
      min: 0,
      empty: healthyWhenEmpty('no statement wrote temporary files'),
      width: 12,
      height: 8,
    }),
  ],
};
