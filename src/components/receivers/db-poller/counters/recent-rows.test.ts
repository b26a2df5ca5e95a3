import * as v from 'valibot';
import { expect, it } from 'vitest';
import { scrapePipelineMetrics } from '../../../../packs/scrape-pipeline/database-metrics.ts';
import { scrapePipelineQueries } from '../../../../packs/scrape-pipeline/queries/query-set.ts';
import { scrapePipelineSettings } from '../../../../packs/scrape-pipeline/queries/settings.ts';
import type { TableSnapshot } from './counted-table.ts';
import { knownSeries, knownZeros } from './recent-rows.ts';
import { Totals } from './totals.ts';

const row = { roaster: 'blue', platform: 'shopify' };

it('begins every status of a known roaster, and none that is unknown', () => {
  const { labels } = scrapePipelineMetrics.scrape_runs_finished_total;
  expect(knownSeries(row, labels)).toEqual(['ok', 'partial', 'fail'].map((status) => ({ ...row, status })));
});

it('begins one series where the row names every label', () => {
  expect(knownSeries(row, scrapePipelineMetrics.scrape_runs_started_total.labels)).toEqual([row]);
});

it('begins none where a label could be anything', () => {
  expect(knownSeries(row, scrapePipelineMetrics.prices_recorded_total.labels)).toEqual([]);
});

it('begins each change of a price and each ratio as soon as a price of the roaster and its currency is counted', async () => {
  const { prices } = scrapePipelineQueries(v.parse(scrapePipelineSettings, {})).counters;
  const first = { roaster: 'blue', platform: 'shopify', currency: 'INR', is_sale: false, change_type: 'first' };
  const occurrences = prices.metrics.slice(0, 2).map(({ metric }) => ({ metric, row: first }));
  const counted = Totals.none.with(occurrences, () => undefined);
  const snapshot = { known: async () => [] } as unknown as TableSnapshot;
  const totals = counted.withZeros(await knownZeros(prices, snapshot, counted));
  const sizes = [...Map.groupBy(totals.series.values(), ({ metric }) => metric)].map(([name, { length }]) => [
    name,
    length,
  ]);
  expect(Object.fromEntries(sizes)).toEqual({ 'prices.recorded': 2, 'price.deltas': 4, 'price.change.ratio': 1 });
  const counts = [...totals.series.values()].map(({ count }) => count);
  expect(counts.filter((count) => count === 1)).toHaveLength(2);
  expect(counts.filter((count) => count === 0)).toHaveLength(5);
  expect(totals.withZeros(await knownZeros(prices, snapshot, totals))).toBe(totals);
});
