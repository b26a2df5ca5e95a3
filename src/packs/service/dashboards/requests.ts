import { events, healthyWhenEmpty, lines, type Row, show, table } from '../../../dashboards/model/panel.ts';
import { step, window } from '../../../dashboards/model/variables.ts';
import { sum } from '../../../dashboards/promql/aggregate.ts';
import { ratio } from '../../../dashboards/promql/arithmetic.ts';
import { thresholds } from '../thresholds.ts';
import { failedRequests } from './expressions.ts';
import { increases, observations, quantile, rate } from './promql.ts';

const noRequest = healthyWhenEmpty('no request was answered');
const ANSWERED = 'http_server_request_duration_seconds';
const byRoute = ['job', 'http_route'] as const;

export const requests: Row = {
  title: 'Requests',
  panels: [
    lines({
      title: 'Requests',
      description: 'Requests that each route answered. Those that no route matched have only the name of the service.',
      queries: [show(sum(rate(ANSWERED, step), byRoute), ({ job, http_route }) => `${job} ${http_route}`)],
      min: 0,
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
      description: 'One request in twenty took longer, by route. In Sentry, the transaction has the name of the route.',
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
      title: 'Routes within the window',
      description: 'Requests of each route, the share that failed, and the duration of the slowest twentieth.',
      labels: byRoute,
      sortBy: 'requests',
      columns: [
        show(sum(observations(ANSWERED, window), byRoute), 'requests'),
        {
          ...show(ratio(...failedRequests(byRoute, increases(window))), 'failed'),
          thresholds: thresholds.failed_requests,
        },
        { ...show(quantile(0.95, { name: ANSWERED, window, by: byRoute }), 'p95'), thresholds: thresholds.request_p95 },
      ],
      empty: noRequest,
      width: 8,
      height: 8,
    }),
  ],
};
