import { lines, type Row, show, unknownWhenEmpty } from '../../../../dashboards/model/panel.ts';
import { step } from '../../../../dashboards/model/variables.ts';
import { max } from '../../../../dashboards/promql/aggregate.ts';
import { latest, mean, sumRate } from '../promql.ts';
import { thresholds } from '../../thresholds.ts';

const notThere = unknownWhenEmpty('no service sends metrics');

export const resources: Row = {
  title: 'Resources of the services',
  panels: [
    lines({
      title: 'CPU, memory, event loop',
      description: 'Resource usage of the busiest process of each service, as a share of the available amount.',
      queries: [
        show(max(latest('system_resources_usage'), ['job', 'resource']), ({ job, resource }) => `${job} ${resource}`),
      ],
      thresholds: thresholds.memory_share,
      min: 0,
      empty: notThere,
      width: 8,
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
      title: 'Delay of the event loop (p99)',
      description:
        'One event loop iteration in a hundred is delayed by more. All work of the process is delayed with it.',
      queries: [show(max(latest('nodejs_eventloop_delay_p99_seconds'), ['job']), ({ job }) => job)],
      thresholds: thresholds.event_loop_delay,
      min: 0,
      empty: notThere,
      width: 8,
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
      width: 8,
      height: 8,
    }),
    lines({
      title: 'Requests sent',
      description: 'Mean duration of all HTTP requests of the services. A dot links to a trace, which shows the host.',
      queries: [
        show(
          mean({
            name: 'http_client_request_duration_seconds',
            window: step,
            by: ['job', 'http_request_method'],
          }),
          ({ job, http_request_method }) => `${job} ${http_request_method}`,
        ),
      ],
      min: 0,
      empty: unknownWhenEmpty('no request was sent'),
      width: 8,
      height: 8,
    }),
    lines({
      title: 'Statements sent',
      description: 'Mean duration of the statements measured in the services, including the network.',
      queries: [
        show(
          mean({ name: 'db_client_operation_duration_seconds', window: step, by: ['db_operation_name'] }),
          ({ db_operation_name }) => db_operation_name,
        ),
      ],
      min: 0,
      empty: unknownWhenEmpty('no statement was sent'),
      width: 8,
      height: 8,
      leadsTo: 'siphon-database',
    }),
  ],
};
