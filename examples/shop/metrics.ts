/** The metrics of the shop. Keys are the Prometheus names. */
import type { Metric } from 'siphon-otel/pack';

export const channels = ['web', 'app'] as const;
export const providers = ['card', 'invoice'] as const;

export const shopMetrics = {
  shop_checkouts_total: {
    source: 'sdk',
    kind: 'counter',
    name: 'shop.checkouts',
    unit: '{checkout}',
    description: 'Checkout requests by result',
    labels: { outcome: ['paid', 'declined', 'invalid', 'failed'] },
  },
  shop_payment_duration_seconds: {
    source: 'sdk',
    kind: 'histogram',
    name: 'shop.payment.duration',
    unit: 's',
    description: 'Duration of the calls to a payment provider',
    labels: { provider: providers },
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  },
  shop_orders_total: {
    source: 'poller',
    kind: 'counter',
    name: 'shop.orders',
    unit: '{order}',
    description: 'Orders in the database',
    labels: { channel: channels },
  },
  shop_payments_total: {
    source: 'poller',
    kind: 'counter',
    name: 'shop.payments',
    unit: '{payment}',
    description: 'Payments in the database by result',
    labels: { provider: providers, outcome: ['captured', 'declined'] },
  },
  shop_orders_pending: {
    source: 'poller',
    kind: 'gauge',
    name: 'shop.orders.pending',
    unit: '{order}',
    description: 'Orders without a payment',
    labels: {},
  },
  shop_orders_pending_oldest_seconds: {
    source: 'poller',
    kind: 'gauge',
    name: 'shop.orders.pending.oldest',
    unit: 's',
    description: 'Age of the oldest order without a payment; 0 without such an order',
    labels: {},
  },
} as const satisfies Readonly<Record<string, Metric>>;
