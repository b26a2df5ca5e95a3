import { describe, expect, it } from 'vitest';
import { lines, promql, range, show, stat, sum, alert, unknownWhenEmpty, type Dashboard } from '../dashboards/index.ts';
import type { Metric } from '../metrics/metric.ts';
import { checkPack } from './check-pack.ts';
import { packs } from './index.ts';
import { definePack, packQueries, type Pack, type PackQueries } from './pack.ts';

const orders = {
  source: 'sdk',
  kind: 'counter',
  name: 'orders',
  unit: '{order}',
  description: 'Orders',
  labels: { outcome: ['ok', 'error'] },
} as const satisfies Metric;

const metrics = { orders_total: orders } as const;
const limits = { failed: { bad: 'above', unit: '{order}', warning: 1, why: 'No order may fail' } } as const;
const { increase } = promql(metrics);
const failed = sum(increase('orders_total', '1h', { outcome: 'error' }));
const failedNow = sum(increase('orders_total', range, { outcome: 'error' }));
const panel = stat({
  title: 'Failed orders',
  description: 'Orders that failed',
  queries: [show(failedNow, 'failed')],
  thresholds: limits.failed,
  empty: unknownWhenEmpty('no orders'),
  width: 4,
  height: 6,
});
const dashboard: Dashboard = {
  uid: 'shop',
  title: 'Shop',
  description: 'Orders',
  from: '1d',
  refresh: '1m',
  variables: [],
  rows: [{ title: 'Orders', panels: [panel] }],
};
const shop: Pack = definePack({
  name: 'shop',
  description: 'A shop',
  metrics,
  thresholds: limits,
  dashboards: [dashboard],
});

const runbooks = { folder: new URL('./no-runbooks/', import.meta.url), address: 'https://example.com' };

const ordersFail = alert({
  name: 'OrdersFail',
  owner: 'shop',
  measured: failed,
  raisedBy: { threshold: limits.failed },
  for: '5m',
  summary: () => 'Orders fail',
  description: ({ value }) => `${value} orders failed.`,
  whenMissing: 'Silent.',
  panel: { dashboard: 'shop', title: 'Failed orders' },
});

async function problems(changes: Partial<Pack>): Promise<readonly string[]> {
  return await checkPack({ ...shop, ...changes }, { packs: [], metrics: {} });
}

function withPanel(changes: object): Dashboard {
  return { ...dashboard, rows: [{ title: 'Orders', panels: [{ ...panel, ...changes }] }] };
}

it.each(packs)('the pack $name passes', async (pack: Pack) => {
  const others = packs.filter((one) => one.name !== pack.name);
  expect(await checkPack(pack, { packs: others, metrics: {} })).toEqual([]);
});

describe('the check of a pack', () => {
  it('accepts a pack in order', async () => {
    expect(await problems({})).toEqual([]);
  });

  it.each<[string, Partial<Metric> | { readonly buckets: readonly number[] }]>([
    ['orders_total: the label Outcome is not in snake case', { labels: { Outcome: ['ok'] } }],
    ['orders_total: the label job is reserved', { labels: { job: ['a'] } }],
    ['orders_total: the label kind has a value twice', { labels: { kind: ['a', 'a'] } }],
    ['orders_total: the label kind has no values', { labels: { kind: [] } }],
    [
      'orders_total: its labels allow 90000 series; 50000 is the limit',
      { labels: { one: { maxValues: 300, description: '' }, other: { maxValues: 300, description: '' } } },
    ],
    ['orders_total: the buckets are not in ascending order', { kind: 'histogram', buckets: [2, 1] }],
  ])('reports %s', async (problem, changes) => {
    const metric = { ...orders, ...changes } as Metric;
    expect(await problems({ metrics: { orders_total: metric }, dashboards: [] })).toContain(problem);
  });

  it('reports metrics that no panel shows, details on a panel, and thresholds without use', async () => {
    expect(await problems({ dashboards: [] })).toEqual([
      'orders_total: is on no panel and not marked as detail',
      'failed: no panel and no alert uses this threshold',
    ]);
    expect(await problems({ detailMetrics: { orders_total: 'a detail' } })).toEqual([
      'orders_total: is on a panel, but marked as detail',
    ]);
  });

  it.each([
    ['Shop: Failed orders: orders_total is not a known metric', {}, { metrics: {} }],
    [
      'Shop: Failed orders: the legend uses the unknown label reason',
      { queries: [{ expression: failed, legend: '{{reason}}' }] },
      {},
    ],
    [
      'Shop: Failed orders: looks back 6h, which the title does not name',
      { queries: [show(sum(increase('orders_total', '6h')), '')] },
      {},
    ],
    [
      'Shop: Failed orders: looks back $__range, which the title does not name',
      { form: 'graph', draw: 'lines', stacked: false },
      {},
    ],
    ['Shop: Failed orders: bars with a threshold need a max', { form: 'bars' }, {}],
    ['Shop: unknown dashboard elsewhere', { leadsTo: 'elsewhere' }, {}],
    [
      'Shop: Failed orders: the threshold is in s, the value in {order}',
      { thresholds: { ...limits.failed, unit: 's' } },
      {},
    ],
    ['Shop: Failed orders: the query is missing', lines({ ...panel, queries: [] }), {}],
  ])('reports %s', async (problem, changes, pack) => {
    expect(await problems({ dashboards: [withPanel(changes)], ...pack })).toContain(problem);
  });

  it.each([
    ['OrdersFail: the dashboard shop has no panel Lost orders', { panel: { dashboard: 'shop', title: 'Lost orders' } }],
    ['orders fail: the name is not in CamelCase', { name: 'orders fail' }],
    [
      'OrdersFail: the threshold is in s, the value in {order}',
      { raisedBy: { threshold: { ...limits.failed, unit: 's' } } },
    ],
    ['the folder of the runbooks does not exist: ', {}],
  ])('reports %s', async (problem, changes) => {
    const found = await problems({ alerts: [{ ...ordersFail, ...changes }], runbooks });
    expect(found.some((one) => one.startsWith(problem))).toBe(true);
  });

  it('reports metrics of the poller that no query emits, and queries with other metrics', async () => {
    const pending = { ...orders, source: 'poller', kind: 'gauge', name: 'orders.pending', labels: {} } as const;
    const database = (metric: typeof pending): PackQueries =>
      packQueries({
        names: { gauges: ['pending'], counters: [] },
        create: () => ({
          gauges: { pending: { needs: {}, metrics: { n: { metric, merge: 'sum' } }, statement: () => ({ text: '' }) } },
          counters: {},
        }),
      });
    const described = { ...metrics, orders_pending: pending, orders_old: { ...pending, name: 'orders.old' } };
    const changes = { metrics: described, detailMetrics: { orders_pending: 'a detail', orders_old: 'a detail' } };
    expect(await problems({ ...changes, database: database(pending) })).toEqual([
      'orders_old: no query emits this metric',
    ]);
    expect(await problems({ ...changes, database: database({ ...pending, unit: 's' } as never) })).toEqual([
      'pack shop is not consistent: query pending emits orders.pending, but its metrics describe it differently',
    ]);
  });

  it('reports alerts without runbooks, and runbooks without alerts', async () => {
    const folder = new URL('./sidecar/runbooks/', import.meta.url);
    const found = await problems({ alerts: [ordersFail], runbooks: { ...runbooks, folder } });
    expect(found).toContain('OrdersFail: the runbook OrdersFail.md is missing');
    expect(found).toContain('Watchdog.md: no alert has this runbook');
  });
});
