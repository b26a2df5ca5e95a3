import type { Threshold } from '../../dashboards/threshold.ts';

export const thresholds = {
  failed_requests: {
    bad: 'above',
    unit: '1',
    warning: 0.05,
    critical: 0.25,
    why: 'A service may fail 0.1 % of its requests in a month: at 5 % that is used up in 14 hours, at 25 % in 3, which cannot wait until the morning',
  },
  request_p95: {
    bad: 'above',
    unit: 's',
    warning: 2.5,
    critical: 10,
    why: 'People notice a wait of a second and leave after ten; both limits are bounds of the histogram, so they are exact',
  },
  event_loop_block: {
    bad: 'above',
    unit: 's',
    warning: 1,
    critical: 5,
    why: 'The probes of Kubernetes give up after a second, and most health checks of load balancers after five',
  },
  event_loop_delay: {
    bad: 'above',
    unit: 's',
    warning: 0.1,
    critical: 1,
    why: 'A delay of 100 ms slows down every request',
  },
  memory_share: {
    bad: 'above',
    unit: '{fraction}',
    warning: 0.8,
    critical: 0.9,
    why: 'Above 80 % the container will soon be killed',
  },
  pool_waiting: {
    bad: 'above',
    unit: '{request}',
    warning: 1,
    critical: 10,
    why: 'A request that waits has found every connection in use',
  },
} as const satisfies Record<string, Threshold>;
