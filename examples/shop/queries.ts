/** The queries that a sidecar runs for the shop. */
import { boundByColumn, metricColumns, packQueries, type CounterQuery, type GaugeQuery } from 'siphon-otel/pack';
import { channels, providers, shopMetrics } from './metrics.ts';

/** The largest time between `now()` of a transaction and its commit. */
const LONGEST_TRANSACTION_MS = 3_600_000;

const pendingOrders: GaugeQuery = {
  needs: { orders: ['id', 'created_at'], payments: ['order_id'] },
  metrics: metricColumns(shopMetrics, {
    shop_orders_pending: 'sum',
    shop_orders_pending_oldest_seconds: 'max',
  }),
  statement: ({ table }) => ({
    text: `
      select count(*) as shop_orders_pending,
             greatest(0, extract(epoch from now() - min(o.created_at))) as shop_orders_pending_oldest_seconds
      from ${table('orders')} o
      where not exists (select from ${table('payments')} p where p.order_id = o.id)`,
  }),
};

const countedOrders: CounterQuery = {
  needs: { orders: ['id', 'channel', 'created_at'] },
  table: 'orders',
  key: ['id'],
  columns: ['channel'],
  batchRows: 5000,
  bound: boundByColumn('created_at', LONGEST_TRANSACTION_MS),
  details: () => ({ select: 'entry.channel', joins: '' }),
  metrics: [{ metric: shopMetrics.shop_orders_total, fromZero: true }],
  known: () => ({ text: `select unnest($1::text[]) as channel`, values: [channels] }),
  meaning: 'orders by channel',
};

const countedPayments: CounterQuery = {
  needs: { payments: ['id', 'provider', 'outcome', 'created_at'] },
  table: 'payments',
  key: ['id'],
  columns: ['provider', 'outcome'],
  batchRows: 5000,
  bound: boundByColumn('created_at', LONGEST_TRANSACTION_MS),
  details: () => ({ select: 'entry.provider, entry.outcome', joins: '' }),
  metrics: [{ metric: shopMetrics.shop_payments_total, fromZero: true }],
  known: () => ({ text: `select unnest($1::text[]) as provider`, values: [providers] }),
  meaning: 'payments by provider and outcome',
};

export const shopQueries = packQueries({
  names: { gauges: ['pending_orders'], counters: ['orders', 'payments'] },
  create: () => ({
    schema: 'public',
    gauges: { pending_orders: pendingOrders },
    counters: { orders: countedOrders, payments: countedPayments },
  }),
});
