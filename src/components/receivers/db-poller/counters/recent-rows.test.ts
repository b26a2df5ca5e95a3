import { expect, it } from 'vitest';
import { scrapePipelineMetrics } from '../../../../packs/scrape-pipeline/database-metrics.ts';
import { knownSeries } from './recent-rows.ts';

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
