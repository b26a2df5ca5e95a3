import { expect, it } from 'vitest';
import type { MetricData } from '../../../../engine/otlp/metrics-writer.ts';
import type { Row } from '../../../../postgres/read-only-pool.ts';
import { postgresHealthMetrics } from '../../../../packs/postgres-health/metrics.ts';
import { scrapePipelineMetrics } from '../../../../packs/scrape-pipeline/database-metrics.ts';
import { metricColumns, type Merge } from '../query.ts';
import { GaugeSeries } from './series.ts';

it.each([
  ['adds counts up', 'sum', 3],
  ['keeps the largest age', 'max', 2],
] as const)('%s that end up with the same labels', async (_, merge, expected) => {
  const { points } = await published(seriesWith(merge), [mars(1), mars(2)]);
  expect(points).toEqual([{ labels: { platform: 'other', is_active: 'true' }, value: expected }]);
});

it('drops what cannot be merged, however many there are, and counts it', async () => {
  const { points, dropped } = await published(seriesWith('drop'), [mars(1), mars(2), mars(3), shopify(4)]);
  expect(points).toEqual([{ labels: { platform: 'shopify', is_active: 'true' }, value: 4 }]);
  expect(dropped).toEqual({ unmergeable: 1 });
});

it('makes no point of NULL, and counts values that are not numbers', async () => {
  const { points, dropped } = await published(seriesWith('sum'), [
    shopify(null),
    shopify('NaN'),
    shopify('12345678901'),
  ]);
  expect(points.map(({ value }) => value)).toEqual([12_345_678_901]);
  expect(dropped).toEqual({ not_a_number: 1 });
});

it('retracts a series once that is no longer there', async () => {
  const series = seriesWith('sum');
  await published(series, [shopify(1)]);
  expect((await published(series, [])).points.map(({ value }) => value)).toEqual([undefined]);
  expect((await published(series, [])).points).toEqual([]);
});

it('retracts it again after a refusal', async () => {
  const series = seriesWith('sum');
  await published(series, [shopify(1)]);
  const refused = series.publish(new Map(), () => Promise.reject(new Error('refused')));
  await expect(refused).rejects.toThrow('refused');
  expect((await published(series, [])).points).toHaveLength(1);
});

it('makes cumulative sums of counters, with a start time if PostgreSQL reports one', async () => {
  const metrics = metricColumns(postgresHealthMetrics, { database_deadlocks_total: 'drop' });
  const series = new GaugeSeries({ metrics, since: 'reset_ms' });
  const { sent } = await published(series, [{ database_deadlocks_total: '7', reset_ms: '1700000000000.5' }]);
  expect(sent).toMatchObject([{ kind: 'sum', monotonic: true, temporality: 'cumulative', name: 'database.deadlocks' }]);
  expect(sent[0]?.points).toMatchObject([{ attributes: {}, value: 7, startUnixMs: 1_700_000_000_000.5 }]);
  const unknown = await published(series, [{ database_deadlocks_total: '8', reset_ms: null }]);
  expect(unknown.sent[0]?.points[0]?.startUnixMs).toBeUndefined();
  expect((await published(series, [])).sent).toMatchObject([{ kind: 'sum', points: [{ value: undefined }] }]);
});

function seriesWith(merge: Merge): GaugeSeries {
  return new GaugeSeries({ metrics: metricColumns(scrapePipelineMetrics, { roasters: merge }) });
}

/** `mars` is not a value of the label `platform`. */
function mars(roasters: unknown): Row {
  return { platform: 'mars', is_active: true, roasters };
}

function shopify(roasters: unknown): Row {
  return { platform: 'shopify', is_active: true, roasters };
}

async function published(series: GaugeSeries, rows: readonly Row[]) {
  const dropped: Record<string, number> = {};
  const next = series.fromRows(rows, {
    replaced: () => undefined,
    dropped: (reason, count) => (dropped[reason] = (dropped[reason] ?? 0) + count),
  });
  const sent: MetricData[] = [];
  await series.publish(next, async (metrics) => void sent.push(...metrics));
  const points = sent.flatMap((metric) =>
    metric.points.map(({ attributes, value }) => ({ labels: attributes, value })),
  );
  return { points, dropped, sent };
}
