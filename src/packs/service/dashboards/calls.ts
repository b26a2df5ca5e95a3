import { healthyWhenEmpty, lines, type Row, show } from '../../../dashboards/model/panel.ts';
import { step } from '../../../dashboards/model/variables.ts';
import { sum } from '../../../dashboards/promql/aggregate.ts';
import { ratio } from '../../../dashboards/promql/arithmetic.ts';
import { failedCalls, failedStatements } from './expressions.ts';
import { increases, quantile, rate } from './promql.ts';

const noCall = healthyWhenEmpty('no request was sent');
const noStatement = healthyWhenEmpty('no statement was sent');
const SENT = 'http_client_request_duration_seconds';
const STATEMENTS = 'db_client_operation_duration_seconds';

export const calls: Row = {
  title: 'Calls to others',
  panels: [
    lines({
      title: 'Requests sent',
      description: 'Requests that the services sent, by the status of the answer. The host is on their spans.',
      queries: [
        show(
          sum(rate(SENT, step), ['job', 'http_response_status_code']),
          ({ job, http_response_status_code }) => `${job} ${http_response_status_code}`,
        ),
      ],
      min: 0,
      empty: noCall,
      width: 8,
      height: 8,
    }),
    lines({
      title: 'Failed requests to others',
      description: 'Share of the sent requests that got no answer, or a 4xx or 5xx status.',
      queries: [show(ratio(...failedCalls(['job'], increases(step))), ({ job }) => job)],
      min: 0,
      empty: noCall,
      width: 8,
      height: 8,
    }),
    lines({
      title: 'Requests sent (p95)',
      description: 'One sent request in twenty took longer.',
      queries: [
        show(
          quantile(0.95, { name: SENT, window: step, by: ['job', 'http_request_method'] }),
          ({ job, http_request_method }) => `${job} ${http_request_method}`,
        ),
      ],
      min: 0,
      empty: noCall,
      width: 8,
      height: 8,
    }),
    lines({
      title: 'Statements sent',
      description: 'Statements that the services sent to databases, by command.',
      queries: [
        show(
          sum(rate(STATEMENTS, step), ['job', 'db_operation_name']),
          ({ job, db_operation_name }) => `${job} ${db_operation_name}`,
        ),
      ],
      min: 0,
      empty: noStatement,
      width: 8,
      height: 8,
      leadsTo: 'siphon-database',
    }),
    lines({
      title: 'Failed statements',
      description: 'Share of the statements that a database refused or did not answer.',
      queries: [show(ratio(...failedStatements(['job'], increases(step))), ({ job }) => job)],
      min: 0,
      empty: noStatement,
      width: 8,
      height: 8,
      leadsTo: 'siphon-database',
    }),
    lines({
      title: 'Statements sent (p95)',
      description: 'One statement in twenty took longer, including the network, by command.',
      queries: [
        show(
          quantile(0.95, { name: STATEMENTS, window: step, by: ['job', 'db_operation_name'] }),
          ({ job, db_operation_name }) => `${job} ${db_operation_name}`,
        ),
      ],
      min: 0,
      empty: noStatement,
      width: 8,
      height: 8,
      leadsTo: 'siphon-database',
    }),
  ],
};
