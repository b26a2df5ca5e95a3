import { events, lines, type Row, show, table, unknownWhenEmpty } from '../../../../dashboards/model/panel.ts';
import { range, step } from '../../../../dashboards/model/variables.ts';
import { sum } from '../../../../dashboards/promql/aggregate.ts';
import { operationErrors } from '../expressions.ts';
import { operationIds, operations as meanings } from '../../operations.ts';
import { mean, observations, shareAbove } from '../promql.ts';
import { thresholds } from '../../thresholds.ts';

const name = 'pipeline_operation_duration_seconds';
const quiet = unknownWhenEmpty('no operation in this time range');
const names = Object.fromEntries(operationIds.map((id) => [id, `${id} ${meanings[id].name}`]));

export const operations: Row = {
  title: 'Operations A.1 to B.3',
  panels: [
    table({
      title: 'Operations',
      description: 'Calls, share of errors, mean duration, and the shares of calls that took longer.',
      labels: ['operation'],
      names,
      sortBy: 'errors',
      columns: [
        show(sum(observations(name, range), ['operation']), 'calls'),
        { ...show(operationErrors(), 'errors'), thresholds: thresholds.fetch_error_rate },
        show(mean({ name, window: range, by: ['operation'] }), 'mean'),
        show(shareAbove(1, { name, window: range, by: ['operation'] }), '> 1 s'),
        show(shareAbove(30, { name, window: range, by: ['operation'] }), '> 30 s'),
      ],
      empty: quiet,
      width: 10,
      height: 9,
    }),
    events({
      title: 'Calls',
      description: 'Completed operations.',
      names,
      queries: [show(sum(observations(name, step), ['operation']), ({ operation }) => operation)],
      empty: quiet,
      width: 7,
      height: 9,
    }),
    lines({
      title: 'Mean duration',
      description: 'Mean duration of the operations within each step. A dot links to the trace of an operation.',
      names,
      queries: [show(mean({ name, window: step, by: ['operation'] }), ({ operation }) => operation)],
      min: 0,
      empty: quiet,
      width: 7,
      height: 9,
    }),
  ],
};
