/** The worlds of the alerts about services. */
import { always, born, END, processes, series } from '../support/prometheus/input-series.ts';
import type { InputSeries } from '../support/prometheus/promtool.ts';

const route = { job: 'shop', http_route: '/orders/:id' };
const REQUESTS = 'http_server_request_duration_seconds_count';
const BUCKETS = 'http_server_request_duration_seconds_bucket';

function requestOf(instance: string, status = '200'): Readonly<Record<string, string>> {
  return { ...route, http_request_method: 'GET', http_response_status_code: status, instance };
}

export const serviceWorlds = {
  ServiceErrors: {
    labels: route,
    // Another instance fails as often. Clients that gave up do not count.
    world: (value: number): readonly InputSeries[] => [
      ...processes({ job: 'shop', instance: '7f' }),
      ...processes({ job: 'shop', instance: '8e' }),
      born(REQUESTS, requestOf('7f'), 1600 - 1600 * value),
      born(REQUESTS, { ...requestOf('7f', '503'), error_type: '503' }, 800 * value),
      born(REQUESTS, { ...requestOf('8e', '500'), error_type: '500' }, 800 * value),
      born(REQUESTS, { ...route, http_route: '/other', instance: '7f', error_type: 'connection_closed' }, 1600),
    ],
    values: { warning: 0.0625, critical: 0.25, fine: 0.03125 },
    isState: false,
  },
  ServiceSlow: {
    labels: route,
    // All requests are within one bucket, so that the 95th percentile is at 95 % of it.
    world: (value: number): readonly InputSeries[] => [
      ...processes({ job: 'shop', instance: '7f' }),
      ...Object.entries({ '1.0': 0, '2.5': value < 2.5 ? 40 : 0, '10.0': value < 10 ? 40 : 0, '+Inf': 40 }).map(
        ([le, count]) => born(BUCKETS, { ...requestOf('7f'), le }, count),
      ),
      born(REQUESTS, requestOf('7f'), 40),
    ],
    values: { warning: 3, critical: 11, fine: 2 },
    isState: false,
  },
  EventLoopBlocked: {
    labels: { job: 'shop' },
    world: (value: number): readonly InputSeries[] => [
      always('nodejs_eventloop_delay_max_seconds', { job: 'shop', instance: '7f' }, value),
      always('nodejs_eventloop_delay_max_seconds', { job: 'shop', instance: '8e' }, 0.01),
      // A request every ten minutes.
      {
        series: series(REQUESTS, requestOf('8e')),
        values: Array.from({ length: END / 10 }, (_, index) => `${index}x9`).join(' '),
      },
      // It answers no requests.
      always('nodejs_eventloop_delay_max_seconds', { job: 'report', instance: '9d' }, 60),
    ],
  },
} as const;
