import { events, lines, type Row, show, unusedWhenEmpty } from '../../../dashboards/model/panel.ts';
import { step } from '../../../dashboards/model/variables.ts';
import { sum } from '../../../dashboards/promql/aggregate.ts';
import { ratio } from '../../../dashboards/promql/arithmetic.ts';
import { failedCalls, failedStatements } from './expressions.ts';
import { increases, mean, observations } from './promql.ts';

const noCall = unusedWhenEmpty('no request was sent');
const noStatement = unusedWhenEmpty('no statement was sent');
const SENT = 'http_client_request_duration_seconds';
const STATEMENTS = 'db_client_operation_duration_seconds';

export const calls: Row = {
  title: 'Calls to others',
  panels: [
    events({
      title: 'Requests sent',
      description: 'Requests that the services sent, by the status of the answer. The host is on their spans.',
      queries: [
        show(
          sum(observations(SENT, step), ['job', 'http_response_status_code']),
          ({ job, http_response_status_code }) => `${job} ${http_response_status_code}`,
        ),
      ],
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
      title: 'Duration of sent requests',
      description: 'Mean duration of the requests that the services sent.',
      queries: [
        show(
          mean({ name: SENT, window: step, by: ['job', 'http_request_method'] }),
          ({ job, http_request_method }) => `${job} ${http_request_method}`,
        ),
      ],
      min: 0,
      empty: noCall,
      width: 8,
      height: 8,
    }),
    events({
      title: 'Statements sent',
      description: 'Statements that the services sent to databases, by command.',
      queries: [
        show(
          sum(observations(STATEMENTS, step), ['job', 'db_operation_name']),
          ({ job, db_operation_name }) => `${job} ${db_operation_name}`,
        ),
      ],
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
      title: 'Duration of statements',
      description: 'Mean duration of the statements, including the network, by command.',
      queries: [
        show(
          mean({ name: STATEMENTS, window: step, by: ['job', 'db_operation_name'] }),
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
