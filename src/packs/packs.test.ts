import { expect, it } from 'vitest';
import type { MetricsByName } from '../dashboards/promql/promql.ts';
import { packMetrics, packs } from './index.ts';
import { scrapePipelineMetrics } from './scrape-pipeline/database-metrics.ts';

it('describes each metric in one pack only', () => {
  const names = packs.flatMap(({ metrics }) => Object.keys(metrics));
  expect(names.length).toBe(new Set(names).size);
});

function countersOf(metrics: MetricsByName): readonly string[] {
  const counters = Object.entries(metrics).filter(([, { kind, source }]) => kind !== 'gauge' && source === 'poller');
  return counters.map(([name]) => name);
}

it('marks all counters of rows, and no counter of PostgreSQL', () => {
  const ofRows = Object.entries(packMetrics).flatMap(([name, metric]) => ('countsRows' in metric ? [name] : []));
  expect(ofRows).toEqual(countersOf(scrapePipelineMetrics));
  expect(countersOf(packMetrics)).toContain('database_deadlocks_total');
});
