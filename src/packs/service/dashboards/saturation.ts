import { lines, type Row, show, unknownWhenEmpty } from '../../../dashboards/model/panel.ts';
import { step } from '../../../dashboards/model/variables.ts';
import { max, sum } from '../../../dashboards/promql/aggregate.ts';
import { relativeTo } from '../../../dashboards/promql/arithmetic.ts';
import { thresholds } from '../thresholds.ts';
import { longestBlock } from './expressions.ts';
import { latest, sumRate } from './promql.ts';

const notThere = unknownWhenEmpty('no service sends metrics');
const noPool = unknownWhenEmpty('no service has a pool');

export const saturation: Row = {
  title: 'Saturation',
  panels: [
    lines({
      title: 'CPU, memory, event loop',
      description: 'Usage of the busiest process of each service, as a share of the available amount.',
      queries: [
        show(max(latest('system_resources_usage'), ['job', 'resource']), ({ job, resource }) => `${job} ${resource}`),
      ],
      thresholds: thresholds.memory_share,
      min: 0,
      empty: notThere,
      width: 6,
      height: 8,
    }),
    lines({
      title: 'Longest block of the event loop',
      description:
        'The longest time since the previous export for which a process ran one piece of code. It answered no request meanwhile.',
      queries: [show(longestBlock(), ({ job }) => job)],
      thresholds: thresholds.event_loop_block,
      min: 0,
      empty: notThere,
      width: 6,
      height: 8,
    }),
    lines({
      title: 'Delay of the event loop (p99)',
      description: 'One iteration of the event loop in a hundred is delayed by more. Everything waits as long.',
      queries: [show(max(latest('nodejs_eventloop_delay_p99_seconds'), ['job']), ({ job }) => job)],
      thresholds: thresholds.event_loop_delay,
      min: 0,
      empty: notThere,
      width: 6,
      height: 8,
    }),
    lines({
      title: 'Time in garbage collection',
      description: 'Share of the time that a process pauses for garbage collection, by kind.',
      queries: [
        show(
          max(sumRate('v8js_gc_duration_seconds', step), ['job', 'v8js_gc_type']),
          ({ job, v8js_gc_type }) => `${job} ${v8js_gc_type}`,
        ),
      ],
      min: 0,
      empty: notThere,
      width: 6,
      height: 8,
    }),
    lines({
      title: 'Memory',
      description: 'Resident memory and heap of the largest process of each service. Steps that never fall are a leak.',
      queries: [
        show(
          max(latest('memory_usage_bytes', { component: ['rss', 'heap_used'] }), ['job', 'component']),
          ({ job, component }) => `${job} ${component}`,
        ),
      ],
      min: 0,
      empty: notThere,
      width: 8,
      height: 8,
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
      min: 0,
      empty: noPool,
      width: 8,
      height: 8,
    }),
    lines({
      title: 'Waiting for a connection',
      description: 'Requests that wait because all connections of the pool are in use.',
      queries: [show(sum(latest('db_client_connection_pending_requests'), ['job']), ({ job }) => job)],
      thresholds: thresholds.pool_waiting,
      min: 0,
      empty: noPool,
      width: 8,
      height: 8,
    }),
  ],
};
