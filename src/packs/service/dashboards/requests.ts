import {
  events,
  healthyWhenEmpty,
  lines,
  type Row,
  show,
  table,
  unusedWhenEmpty,
} from '../../../dashboards/model/panel.ts';
import { range, step } from '../../../dashboards/model/variables.ts';
import { sum } from '../../../dashboards/promql/aggregate.ts';
import { ratio } from '../../../dashboards/promql/arithmetic.ts';
import { thresholds } from '../thresholds.ts';
import { failedRequests } from './expressions.ts';
import { increases, mean, observations, quantile, shareAbove } from './promql.ts';

const noRequest = unusedWhenEmpty('no request was answered');
const ANSWERED = 'http_server_request_duration_seconds';
const byRoute = ['job', 'http_route'] as const;

export const requests: Row = {
  title: 'Requests',
  panels: [
    events({
      title: 'Requests',
      description: 'Requests that each route answered. Those that no route matched have only the name of the service.',
      queries: [show(sum(observations(ANSWERED, step), byRoute), ({ job, http_route }) => `${job} ${http_route}`)],
      empty: noRequest,
      width: 8,
      height: 8,
    }),
    lines({
      title: 'Failed requests',
      description: 'Share of the requests of each route that were answered with a 5xx status.',
      queries: [
        show(ratio(...failedRequests(byRoute, increases(step))), ({ job, http_route }) => `${job} ${http_route}`),
      ],
      thresholds: thresholds.failed_requests,
      min: 0,
      empty: noRequest,
      width: 8,
      height: 8,
    }),
    lines({
      title: 'Duration of requests (p95)',
      description:
        'One request in twenty took longer, by route; nothing is shown below 5 ms, which is the first bound that is counted. In Sentry, the transaction has the name of the route.',
      queries: [
        show(
          quantile(0.95, { name: ANSWERED, window: step, by: byRoute }),
          ({ job, http_route }) => `${job} ${http_route}`,
        ),
      ],
      thresholds: thresholds.request_p95,
      min: 0,
      empty: noRequest,
      width: 8,
      height: 8,
    }),
    events({
      title: 'Answers by status',
      description: 'Requests by the status of their answer. 5xx: the service failed; 4xx: the request was refused.',
      queries: [
        show(
          sum(observations(ANSWERED, step, { http_response_status_code: { not: '' } }), ['http_response_status_code']),
          ({ http_response_status_code }) => http_response_status_code,
        ),
      ],
      empty: noRequest,
      width: 8,
      height: 8,
    }),
    events({
      title: 'Requests without an answer',
      description:
        'Requests whose connection was closed before the answer was complete, by route: clients that gave up, often because the answer took too long.',
      queries: [
        show(
          sum(observations(ANSWERED, step, { error_type: 'connection_closed' }), byRoute),
          ({ job, http_route }) => `${job} ${http_route}`,
        ),
      ],
      empty: healthyWhenEmpty('every request was answered'),
      width: 8,
      height: 8,
    }),
    table({
      title: 'Routes',
      description: 'Requests of each route, the share that failed, the mean duration, and the share that took longer.',
      labels: byRoute,
      sortBy: 'requests',
      columns: [
        show(sum(observations(ANSWERED, range), byRoute), 'requests'),
        {
          ...show(ratio(...failedRequests(byRoute, increases(range))), 'failed'),
          thresholds: thresholds.failed_requests,
        },
        show(mean({ name: ANSWERED, window: range, by: byRoute }), 'mean'),
        show(shareAbove(1, { name: ANSWERED, window: range, by: byRoute }), '> 1 s'),
      ],
      empty: noRequest,
      width: 8,
      height: 8,
    }),
  ],
};
