import { sum } from '../../../dashboards/promql/aggregate.ts';
import { compare, ratio } from '../../../dashboards/promql/arithmetic.ts';
import { alert, type Alert } from '../../../dashboards/rules/alert.ts';
import { recorded, recordedShare } from '../../../dashboards/rules/recording.ts';
import { failedRequests, longestBlock } from '../dashboards/expressions.ts';
import { occurrences, quantileOfOccurrences } from '../dashboards/promql.ts';
import { thresholds } from '../thresholds.ts';

/** A service that fails completely reaches 5 % of this window within 90 s, and 25 % within 8 minutes. */
const WINDOW = '30m';
const recent = occurrences(WINDOW);

/** Fewer failures do not justify a call at night; they are on a panel and in Sentry. */
const SOME_FAILURES = 10;
/** The slowest twentieth of fewer requests is a single one. */
const SOME_REQUESTS = 40;

const byRoute = ['job', 'http_route'] as const;

const requests = recordedShare(failedRequests(byRoute, recent), [
  'job_http_route:http_server_failures:count30m',
  'job_http_route:http_server_requests:count30m',
]);

/** Without a route, the text has only the name of the service. */
const ROUTE = '{{ with $labels.http_route }} at {{ . }}{{ end }}';

export const serviceAlerts: readonly Alert[] = [
  alert({
    name: 'ServiceErrors',
    owner: 'service',
    measured: ratio(...requests),
    guard: compare(requests[0], '>=', SOME_FAILURES),
    raisedBy: { threshold: thresholds.failed_requests },
    level: { critical: 'page' },
    for: '0m',
    keepFiringFor: '5m',
    summary: ({ job }) => `Requests to ${job} fail`,
    description: ({ job, value }, limit) =>
      `${value} of the requests to ${job}${ROUTE} within 30 minutes were answered with a 5xx status (limit ${limit}).`,
    whenMissing: 'Silent: the service answers no requests, or is not observed. It also needs ten failures.',
    panel: { dashboard: 'siphon-service', title: 'Failed requests' },
  }),
  alert({
    name: 'ServiceSlow',
    owner: 'service',
    measured: recorded(
      'job_http_route:http_server_request_duration_seconds:p95_30m',
      quantileOfOccurrences(0.95, { name: 'http_server_request_duration_seconds', window: WINDOW, by: byRoute }),
    ),
    guard: compare(requests[1], '>=', SOME_REQUESTS),
    raisedBy: { threshold: thresholds.request_p95 },
    level: { warning: 'info' },
    for: '5m',
    keepFiringFor: '5m',
    summary: ({ job }) => `${job} answers slowly`,
    description: ({ job, value }, limit) =>
      `One request in twenty to ${job}${ROUTE} within 30 minutes took ${value} or longer (limit ${limit}).`,
    whenMissing: 'Silent: the service answers no requests, or is not observed. It also needs 40 requests.',
    panel: { dashboard: 'siphon-service', title: 'Duration of requests (p95)' },
  }),
  alert({
    name: 'EventLoopBlocked',
    owner: 'service',
    measured: longestBlock(),
    // A job without clients may compute as long as it wants.
    guard: compare(sum(recent('http_server_request_duration_seconds'), ['job']), '>=', 1),
    raisedBy: { threshold: thresholds.event_loop_block },
    // Longer than a start, and than a block that happens once.
    for: '5m',
    keepFiringFor: '5m',
    summary: ({ job }) => `${job} blocks its event loop`,
    description: ({ job, value }, limit) =>
      `Between its last two exports, a process of ${job} ran one piece of code for ${value} without a pause (limit ${limit}). Every other request waited.`,
    whenMissing:
      'Silent: the service is not observed, or answered no requests within 30 minutes. A process that never pauses sends no metrics either.',
    panel: { dashboard: 'siphon-service', title: 'Longest block of the event loop' },
  }),
];
