import { expect, it } from 'vitest';
import type { Row } from '../../../postgres/read-only-pool.ts';
import { labelledBy } from './roaster-label.ts';
import { health } from './health.ts';

const hour = 3600;
const cadence = (cron: string, sinceHours: number) => ({
  cron,
  now_s: at(),
  ran_s: at() - sinceHours * hour,
  expected_s: null,
});
const found = (...cadences: unknown[]) => JSON.stringify(cadences);
const known = { runs: '100', checked: '100', review: '0', stock: '100', freshness: found(cadence('0 0 1 1 *', 0)) };

it('computes each component from its input, and the total from all', () => {
  const scores = scoresOf({ ...known, runs: '50', checked: '10', review: '12.5', stock: '80' });
  expect(scores).toEqual({ runs: 50, freshness: 100, checked: 10, review: 75, stock: 80, total: 15 + 20 + 2 + 15 + 8 });
});

it.each(['runs', 'checked', 'review', 'stock', 'freshness'])(
  'leaves %s out while it is unknown, and the total too',
  (name) => {
    const scores = scoresOf({ ...known, [name]: null });
    expect(scores[name]).toBeUndefined();
    expect(scores['total']).toBeUndefined();
    expect(Object.values(scores).filter((score) => score !== undefined)).toHaveLength(4);
    expect(unknownOf({ ...known, [name]: null })).toBe(1);
  },
);

it('shows how many components are unknown, also if none or all of them are', () => {
  expect(unknownOf(known)).toBe(0);
  expect(unknownOf({})).toBe(5);
});

it('is 0 where everything is broken, not what is left of the weights', () => {
  const scores = scoresOf({
    runs: '0',
    checked: '0',
    review: '100',
    stock: '0',
    freshness: found(cadence('* * * * *', 1)),
  });
  expect(scores['total']).toBe(0);
});

it('judges freshness by the cadences that have a meaning', () => {
  const hourly = cadence('0 * * * *', 3);
  expect(scoresOf({ ...known, freshness: found(hourly, cadence('never', 3)) })['freshness']).toBe(0);
  expect(scoresOf({ ...known, freshness: found(cadence('never', 3)) })['freshness']).toBeUndefined();
});

it('gives freshness the weight of checked, as before, where variants have no time of a check', () => {
  const row = { ...known, checked: null, has_checked: false, freshness: found(cadence('* * * * *', 1)) };
  expect(scoresOf(row)).toEqual({ runs: 100, freshness: 0, review: 100, stock: 100, total: 30 + 20 + 10 });
  expect(unknownOf(row)).toBe(0);
});

it('asks only for what the schema can give', () => {
  const { text } = health({ windowSeconds: 60, staleAfterSeconds: 60, timezone: 'UTC' }, labelledBy('slug')).statement({
    table: (name) => name,
    has: (table) => table !== 'variants',
    hasIndex: () => false,
  });
  expect(text).toContain('null as stock, false as has_stock');
  expect(text).toContain('null as checked, false as has_checked');
  expect(text).not.toContain('from variants');
});

it('is absent for a database without any table of the pipeline', () => {
  const missing = { has_runs: false, has_freshness: false, has_checked: false, has_review: false, has_stock: false };
  expect(derived(missing)).toEqual([]);
  expect(unknownOf({ ...missing, has_stock: true })).toBeGreaterThan(0);
});

function at(): number {
  return Date.parse('2026-03-08T05:30:00Z') / 1000;
}

function scoresOf(row: Row): Record<string, unknown> {
  const scored = derived(row).filter(({ component }) => component !== undefined);
  return Object.fromEntries(scored.map((one) => [one['component'], one['pipeline_health_score']]));
}

function unknownOf(row: Row): unknown {
  return derived(row)
    .map((one) => one['pipeline_health_unknown_components'])
    .find((count) => count !== undefined);
}

function derived(row: Row): readonly Row[] {
  return health({ windowSeconds: 60, staleAfterSeconds: 60, timezone: 'UTC' }, labelledBy('slug')).derive!(
    [row],
    () => undefined,
  );
}
