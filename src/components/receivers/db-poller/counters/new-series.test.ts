import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { NewSeries } from './new-series.ts';
import { Totals } from './totals.ts';

const metric = {
  kind: 'histogram',
  source: 'poller',
  name: 'amounts',
  unit: 'EUR',
  description: '',
  labels: { country: { maxValues: 9, description: '' } },
  buckets: [10],
} as const;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function counted(countries: readonly string[], startUnixMs = 1) {
  const rows = countries.map((country) => ({ metric, row: { country }, value: '0.1' }));
  return { totals: Totals.none.with(rows, () => undefined), startUnixMs };
}

function shown(series: NewSeries, state: ReturnType<typeof counted>) {
  return [...series.shown(state).values()].map(({ attributes, count, sum }) => [attributes['country'], count, sum]);
}

it('shows a series that appears at 0 for one interval', () => {
  const series = new NewSeries(1000);
  series.begin(counted(['DE']));
  expect(shown(series, counted(['DE', 'DE', 'FR']))).toEqual([
    ['DE', 2, '0.2'],
    ['FR', 0, '0'],
  ]);
  vi.advanceTimersByTime(999);
  expect(shown(series, counted(['DE', 'DE', 'FR', 'FR']))[1]).toEqual(['FR', 0, '0']);
  vi.advanceTimersByTime(1);
  expect(shown(series, counted(['DE', 'DE', 'FR', 'FR']))[1]).toEqual(['FR', 2, '0.2']);
});

it('shows the series of a stored state, and those of another poller, with their totals', () => {
  const series = new NewSeries(1000);
  expect(shown(series, counted(['DE']))).toEqual([['DE', 1, '0.1']]);
  series.know(counted(['DE', 'FR']));
  expect(shown(series, counted(['DE', 'FR', 'IT']))).toEqual([
    ['DE', 1, '0.1'],
    ['FR', 1, '0.1'],
    ['IT', 0, '0'],
  ]);
});

it('begins again when counting does', () => {
  const series = new NewSeries(1000);
  series.begin(counted(['DE']));
  expect(shown(series, counted([], 2))).toEqual([]);
  expect(shown(series, counted(['DE'], 2))).toEqual([['DE', 0, '0']]);
});
