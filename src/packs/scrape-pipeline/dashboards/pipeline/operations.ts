import { events, lines, type Row, show, table, unknownWhenEmpty } from '../../../../dashboards/model/panel.ts';
import { step, window } from '../../../../dashboards/model/variables.ts';
import { sum } from '../../../../dashboards/promql/aggregate.ts';
import { operationErrors } from '../expressions.ts';
import { operationIds, operations as meanings } from '../../operations.ts';
import { observations, quantile } from '../promql.ts';
import { thresholds } from '../../thresholds.ts';

const name = 'pipeline_operation_duration_seconds';
const quiet = unknownWhenEmpty('no operation in this time range');
const glossary = operationIds.map((id) => `${id} ${meanings[id].name}`).join(', ');

export const operations: Row = {
  title: 'Operations A.1 to B.3',
  panels: [
    table({
      title: 'Operations within the window',
      description: `Number of calls, error rate and duration of each operation. ${glossary}.`,
      labels: ['operation'],
      sortBy: 'errors',
      columns: [
        { ...show(sum(observations(name, window), ['operation']), 'calls') },
        { ...show(operationErrors(), 'errors'), thresholds: thresholds.fetch_error_rate },
        { ...show(quantile(0.5, { name, window, by: ['operation'] }), 'p50') },
        { ...show(quantile(0.95, { name, window, by: ['operation'] }), 'p95') },
        { ...show(quantile(0.99, { name, window, by: ['operation'] }), 'p99') },
      ],
      empty: quiet,
      width: 10,
      height: 9,
    }),
    events({
      title: 'Calls',
      description: `Completed operations. ${glossary}.`,
      queries: [show(sum(observations(name, step), ['operation']), ({ operation }) => operation)],
      empty: quiet,
      width: 7,
      height: 9,
    }),
    lines({
      title: 'Slowest twentieth (p95)',
      description: '95 % of the operations take no longer. A dot links to the trace of an operation.',
      queries: [show(quantile(0.95, { name, window: step, by: ['operation'] }), ({ operation }) => operation)],
      min: 0,
      empty: quiet,
      width: 7,
      height: 9,
    }),
  ],
};
