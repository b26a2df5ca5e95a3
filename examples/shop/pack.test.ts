/** A wrong metric, label, value or limit in a pack does not compile: the type check fails if one of these lines does. */
import { expect, it } from 'vitest';
import { promql, sum, alert, max } from 'siphon-otel/dashboards';
import { instruments } from 'siphon-otel/instruments';
import { definePack, metricColumns, packQueries } from 'siphon-otel/pack';
import { shopMetrics } from './metrics.ts';
import { thresholds } from './thresholds.ts';

const { increase, latest } = promql(shopMetrics);
const record = instruments(shopMetrics);

it('rejects unknown names, labels and values when it is compiled', () => {
  const mistakes = [
    // @ts-expect-error the pack does not define this metric
    () => latest('shop_orders_waiting'),
    // @ts-expect-error a counter does not have a latest value
    () => latest('shop_orders_total'),
    // @ts-expect-error the metric does not have this label
    () => increase('shop_orders_total', '1h', { provider: 'card' }),
    // @ts-expect-error the label does not have this value
    () => increase('shop_orders_total', '1h', { channel: 'fax' }),
    // @ts-expect-error the metric cannot be aggregated by this label
    () => sum(increase('shop_orders_total', '1h'), ['provider']),
    // @ts-expect-error the service does not record a metric of the poller
    () => record.shop_orders_total({ channel: 'web' }),
    // @ts-expect-error the label does not have this value
    () => record.shop_checkouts_total({ outcome: 'lost' }),
    // @ts-expect-error a label is missing
    () => record.shop_payment_duration_seconds({}, 1),
    // @ts-expect-error the service and not the poller reports this metric
    () => metricColumns(shopMetrics, { shop_checkouts_total: 'sum' }),
    () =>
      packQueries({
        names: { gauges: ['pending'], counters: [] },
        // @ts-expect-error the query that `names` lists is missing
        create: () => ({ gauges: {}, counters: {} }),
      }),
    () =>
      definePack({
        name: 'shop',
        description: 'A pack with a reason for a metric that it does not define',
        metrics: shopMetrics,
        // @ts-expect-error the pack does not define this metric
        detailMetrics: { shop_orders_waiting: 'not shown' },
      }),
    () =>
      alert({
        name: 'ShopOrdersPending',
        owner: 'shop',
        measured: max(latest('shop_orders_pending_oldest_seconds'), ['instance']),
        // @ts-expect-error the pack does not define this threshold
        raisedBy: { threshold: thresholds.waiting_age },
        for: '1m',
        // @ts-expect-error the measured series do not have this label
        summary: ({ provider }) => `An order of ${provider} has no payment`,
        description: () => 'An order has no payment',
        whenMissing: 'Does not fire',
      }),
  ];
  expect(mistakes).toHaveLength(12);
});
