import {
  areas,
  events,
  healthyWhenEmpty,
  lines,
  type Row,
  show,
  table,
  unknownWhenEmpty,
} from '../../../dashboards/model/panel.ts';
import { range, step } from '../../../dashboards/model/variables.ts';
import { sum } from '../../../dashboards/promql/aggregate.ts';
import { ratio, relativeTo } from '../../../dashboards/promql/arithmetic.ts';
import { increase, latest, mean, observations } from './promql.ts';
import { thresholds } from '../thresholds.ts';

const quiet = unknownWhenEmpty('no statement in this time range');
/** Only services with the instruments of the scrape pipeline count these. */
const notCounted = unknownWhenEmpty('no service counts its statements by table or function');
const statements = 'db_client_operation_duration_seconds';
/** In calls of functions, the label `table` is the name of the function. */
const onTables = { query_type: { not: 'rpc' } } as const;
const onPostgres = { db_system_name: 'postgresql' } as const;

/** The database from the view of its clients. */
export const clients: Row = {
  title: 'As the services see it',
  panels: [
    table({
      title: 'Calls of SQL functions',
      description: 'SQL functions that the pipeline calls to write. Those that fail most come first.',
      labels: ['rpc'],
      names: { rpc: 'function' },
      sortBy: 'errors',
      columns: [
        show(sum(increase('rpc_operations_total', range), ['rpc']), 'calls'),
        {
          ...show(
            ratio(
              sum(increase('rpc_operations_total', range, { outcome: 'error' }), ['rpc']),
              sum(increase('rpc_operations_total', range), ['rpc']),
            ),
            'errors',
          ),
          thresholds: thresholds.rpc_error_rate,
        },
      ],
      empty: notCounted,
      width: 8,
      height: 8,
    }),
    table({
      title: 'Statements by table',
      description:
        'Statements on tables that services sent to PostgreSQL; calls of functions have their own panel. Tables with most errors come first.',
      labels: ['table'],
      sortBy: 'errors',
      columns: [
        show(sum(increase('database_queries_total', range, onTables), ['table']), 'statements'),
        {
          ...show(
            ratio(
              sum(increase('database_queries_total', range, { ...onTables, success: 'false' }), ['table']),
              sum(increase('database_queries_total', range, onTables), ['table']),
            ),
            'errors',
          ),
          thresholds: thresholds.rpc_error_rate,
        },
      ],
      empty: notCounted,
      width: 8,
      height: 8,
    }),
    lines({
      title: 'Duration of statements',
      description:
        'Mean duration of the services\u2019 statements, by their first word. A dot links to the trace of a statement.',
      queries: [
        show(
          mean({ name: statements, window: step, where: onPostgres, by: ['db_operation_name'] }),
          ({ db_operation_name }) => db_operation_name,
        ),
      ],
      min: 0,
      empty: quiet,
      width: 8,
      height: 8,
    }),
    events({
      title: 'Statements',
      description: 'Completed statements of the services.',
      queries: [
        show(
          sum(observations(statements, step, onPostgres), ['db_operation_name']),
          ({ db_operation_name }) => db_operation_name,
        ),
      ],
      empty: quiet,
      width: 5,
      height: 7,
    }),
    areas({
      title: 'Connections in the pools',
      description: 'Connections of the services\u2019 pools, used and idle. A new pool has no connections.',
      queries: [
        show(
          sum(latest('db_client_connection_count'), ['job', 'db_client_connection_state']),
          ({ job, db_client_connection_state }) => `${job} ${db_client_connection_state}`,
        ),
      ],
      min: 0,
      empty: unknownWhenEmpty('no service has a pool'),
      width: 5,
      height: 7,
    }),
    lines({
      title: 'Pools in use',
      description: 'Connections in use, as a share of those that the pools of a service may open.',
      queries: [
        show(
          relativeTo(
            sum(latest('db_client_connection_count', { db_client_connection_state: 'used' }), ['job']),
            sum(latest('db_client_connection_max'), ['job']),
          ),
          ({ job }) => job,
        ),
      ],
      thresholds: thresholds.connections_used,
      min: 0,
      empty: unknownWhenEmpty('no service has a pool'),
      width: 5,
      height: 7,
    }),
    lines({
      title: 'Waiting for a connection',
      description: 'Requests that wait because all connections of the pool are in use.',
      queries: [show(sum(latest('db_client_connection_pending_requests'), ['job']), ({ job }) => job)],
      thresholds: thresholds.pool_pending,
      min: 0,
      empty: unknownWhenEmpty('no service has a pool'),
      width: 4,
      height: 7,
    }),
    events({
      title: 'PostgreSQL asked to slow down',
      description: 'Errors 53300 (too many connections) and 53400. Their traces show which operation waited.',
      queries: [show(sum(increase('rate_limit_errors_total', step, { service: 'postgresql' })), 'answers')],
      empty: healthyWhenEmpty('no such error'),
      width: 5,
      height: 7,
    }),
  ],
};
