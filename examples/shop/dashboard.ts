import {
  datasource,
  events,
  happened,
  healthyWhenEmpty,
  instance,
  job,
  lines,
  max,
  promql,
  range,
  ratio,
  show,
  stat,
  step,
  sum,
  unknownWhenEmpty,
  valuesOf,
  type Dashboard,
} from 'siphon-otel/dashboards';
import { shopMetrics } from './metrics.ts';
import { thresholds } from './thresholds.ts';

const { increase, latest, mean, seriesOf } = promql(shopMetrics);

const notPolled = unknownWhenEmpty('no data from the database');
const nothingHappened = healthyWhenEmpty('none in this time range');

const database = valuesOf(seriesOf('shop_orders_pending'), 'instance', {
  name: 'database',
  label: 'Database',
  description: 'The database that the sidecar polls',
  narrows: { sources: ['poller'] },
});

export const shopDashboard: Dashboard = {
  uid: 'shop',
  title: 'Shop',
  description: 'Checkouts in the service, and orders and payments in the database',
  from: '1d',
  refresh: '1m',
  variables: [datasource, job, instance, database],
  rows: [
    {
      title: 'Service',
      panels: [
        events({
          title: 'Checkouts',
          description: 'Requests to POST /orders. The log of the service contains the error of each failed checkout.',
          queries: [show(happened(sum(increase('shop_checkouts_total', step), ['outcome'])), ({ outcome }) => outcome)],
          tones: { paid: 'good', declined: 'warning', invalid: 'neutral', failed: 'bad' },
          empty: nothingHappened,
          width: 12,
          height: 8,
        }),
        lines({
          title: 'Payment duration',
          description: 'Mean duration of the calls to each payment provider. Customers wait for this call.',
          queries: [
            show(
              mean({ name: 'shop_payment_duration_seconds', window: step, by: ['provider'] }),
              ({ provider }) => provider,
            ),
          ],
          min: 0,
          empty: nothingHappened,
          width: 12,
          height: 8,
        }),
      ],
    },
    {
      title: 'Database',
      panels: [
        events({
          title: 'Orders',
          description: 'Rows that were inserted into orders.',
          queries: [show(happened(sum(increase('shop_orders_total', step), ['channel'])), ({ channel }) => channel)],
          empty: nothingHappened,
          width: 8,
          height: 8,
        }),
        stat({
          title: 'Declined payments',
          description: 'The share of declined payments. Compare the providers and call the one that declines.',
          queries: [
            show(
              ratio(
                sum(increase('shop_payments_total', range, { outcome: 'declined' }), ['provider']),
                sum(increase('shop_payments_total', range), ['provider']),
              ),
              ({ provider }) => provider,
            ),
          ],
          thresholds: thresholds.declined_share,
          min: 0,
          max: 1,
          empty: nothingHappened,
          width: 4,
          height: 8,
        }),
        stat({
          title: 'Pending orders',
          description: 'Orders without a payment. The service inserts the payment directly after the order.',
          queries: [show(max(latest('shop_orders_pending'), ['instance']), ({ instance: name }) => name)],
          min: 0,
          empty: notPolled,
          width: 4,
          height: 8,
        }),
        lines({
          title: 'Oldest pending order',
          description: 'Age of the oldest order without a payment. An old one was lost between the two inserts.',
          queries: [
            show(max(latest('shop_orders_pending_oldest_seconds'), ['instance']), ({ instance: name }) => name),
          ],
          thresholds: thresholds.pending_age,
          min: 0,
          empty: notPolled,
          width: 8,
          height: 8,
        }),
      ],
    },
  ],
};
