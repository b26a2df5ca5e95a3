import { alert, compare, max, promql, ratio, sum, type Alert } from 'siphon-otel/dashboards';
import { shopMetrics } from './metrics.ts';
import { thresholds } from './thresholds.ts';

const { increase, latest } = promql(shopMetrics);

/** The minimum number of payments; the share of a few payments varies too much. */
const ENOUGH_PAYMENTS = 10;

const payments = sum(increase('shop_payments_total', '1h'), ['provider']);
const declined = sum(increase('shop_payments_total', '1h', { outcome: 'declined' }), ['provider']);

export const shopAlerts: readonly Alert[] = [
  alert({
    name: 'ShopOrdersPending',
    owner: 'shop',
    measured: max(latest('shop_orders_pending_oldest_seconds'), ['instance']),
    raisedBy: { threshold: thresholds.pending_age },
    for: '1m',
    summary: ({ instance }) => `An order in ${instance} has no payment`,
    description: ({ value }, limit) => `The oldest order without a payment is ${value} old (limit ${limit}).`,
    whenMissing: 'Does not fire while the sidecar does not poll the database.',
    panel: { dashboard: 'shop', title: 'Oldest pending order' },
  }),
  alert({
    name: 'ShopPaymentsDeclined',
    owner: 'shop',
    measured: ratio(declined, payments),
    guard: compare(payments, '>=', ENOUGH_PAYMENTS),
    raisedBy: { threshold: thresholds.declined_share },
    for: '5m',
    summary: ({ provider }) => `${provider} declines many payments`,
    description: ({ provider, value }, limit) =>
      `${provider} declined ${value} of the payments of the last hour (limit ${limit}).`,
    whenMissing: 'Does not fire without payments.',
    panel: { dashboard: 'shop', title: 'Declined payments' },
  }),
];
