import { expect, it } from 'vitest';
import { shipped } from '../../tests/support/dashboards/shipped.ts';
import { dashboardModels } from '../dashboards/model/dashboard-model.ts';
import type { DataSource } from './data-source.ts';
import { openingRange } from './opening-time.ts';

const NOW_S = 1_800_000_000;
const prices = dashboardModels(shipped.dashboards).find(({ uid }) => uid === 'siphon-prices')!;

async function nothing(): Promise<readonly never[]> {
  return [];
}

/** Answers a query about the time before a moment, for data that begins at `firstS` and has gone on since. */
function dataSince(firstS: number): DataSource {
  return {
    labelValues: nothing,
    over: nothing,
    exemplars: nothing,
    at: async (expression, atS) => {
      expect(expression).toMatch(/memory_usage_bytes\|/);
      const lookBackS = Number(/\[(\d+)s\]/.exec(expression)?.[1] ?? 0);
      return atS >= firstS && atS - lookBackS <= NOW_S ? [{ labels: {}, value: 1 }] : [];
    },
  };
}

it.each([
  ['2 minutes', 120, '5m'],
  ['10 minutes', 600, '15m'],
  ['40 minutes', 2400, '1h'],
  ['5 hours', 18_000, '6h'],
  ['2 days', 172_800, '7d'],
  ['20 days', 1_728_000, '30d'],
  ['a year', 31_536_000, '30d'],
])('opens on the time with data: after %s', async (_, ageS, expected) => {
  expect(await openingRange(prices, dataSince(NOW_S - ageS), NOW_S)).toBe(expected);
});

it('opens on the range of the dashboard without data, without variables, and if nothing answers', async () => {
  expect(await openingRange(prices, dataSince(Infinity), NOW_S)).toBe('30d');
  expect(await openingRange({ ...prices, variables: [] }, dataSince(NOW_S), NOW_S)).toBe('30d');
  const broken = { ...dataSince(0), at: async () => await Promise.reject(new Error('off')) };
  expect(await openingRange(prices, broken, NOW_S)).toBe('30d');
});
