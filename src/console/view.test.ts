import { describe, expect, it } from 'vitest';
import { repeated } from './repeat.ts';
import { linesOf } from './table-lines.ts';
import { addressOf, between, spanOf, viewOf, widened, type Time } from './view.ts';
import { shipped } from '../../tests/support/dashboards/shipped.ts';
import { dashboardModels } from '../dashboards/model/dashboard-model.ts';

const roaster = dashboardModels(shipped.dashboards).find(({ uid }) => uid === 'siphon-roaster')!;

function timeOf(from: string, to: string): Time {
  return viewOf(roaster, new URLSearchParams({ from, to })).time;
}

describe('a view and its address', () => {
  it('starts with the time range of the dashboard, and all values', () => {
    const { time, refresh, choices } = viewOf(roaster, new URLSearchParams());
    expect({ time, refresh }).toEqual({ time: { last: '30d' }, refresh: '5m' });
    expect(choices).toMatchObject({ roaster: undefined, platform: undefined });
  });

  it('comes back from its address', () => {
    const view = viewOf(roaster, new URLSearchParams('from=now-6h&refresh=&var-roaster=a&var-roaster=b%26c&var-job=x'));
    expect(view).toMatchObject({
      time: { last: '6h' },
      refresh: undefined,
      choices: { roaster: ['a', 'b&c'], job: ['x'] },
    });
    const address = new URL(addressOf(roaster.uid, view), 'http://localhost');
    expect(viewOf(roaster, address.searchParams)).toEqual(view);
  });

  it('takes nothing from an address that is not a choice', () => {
    const view = viewOf(roaster, new URLSearchParams('from=yesterday&var-unknown=1y'));
    expect(view.time).toEqual({ last: '30d' });
    expect(view.choices).not.toHaveProperty('unknown');
  });

  it('keeps two moments in its address', () => {
    const view = viewOf(roaster, new URLSearchParams('from=1764000000000&to=1764003600500'));
    expect(view.time).toEqual({ fromS: 1_764_000_000, toS: 1_764_003_600.5 });
    const address = new URL(addressOf(roaster.uid, view), 'http://localhost');
    expect(viewOf(roaster, address.searchParams)).toEqual(view);
  });

  it('takes dates, and what is relative to now', () => {
    expect(timeOf('2026-11-25T07:00:00Z', '2026-11-25T08:00:00Z')).toEqual({
      fromS: Date.UTC(2026, 10, 25, 7) / 1000,
      toS: Date.UTC(2026, 10, 25, 8) / 1000,
    });
    expect(spanOf(timeOf('now-2h', 'now-1h'), 0)).toSatisfy(({ fromS, toS }) => toS - fromS === 3600);
  });

  it.each([
    ['1764003600000', '1764000000000'],
    ['1764000000000', '1764000001000'],
    ['1764000000000', 'never'],
    ['now-1h', 'now-2h'],
  ])('takes no time from %s to %s', (from, to) => {
    expect(timeOf(from, to)).toEqual({ last: '30d' });
  });

  it('widens a time around its middle, but not into what is yet to come', () => {
    expect(widened({ fromS: 1000, toS: 2000 }, 9000)).toEqual({ fromS: 500, toS: 2500 });
    expect(widened({ fromS: 1000, toS: 2000 }, 2100)).toEqual({ fromS: 100, toS: 2100 });
    expect(between(0, 5)).toBeUndefined();
  });

  it('has a row for each value that is chosen, or else for each that there is', () => {
    const values = new Map([['roaster', ['a', 'b', 'c']]]);
    const titles = (chosen: readonly string[] | undefined): readonly string[] =>
      repeated(roaster.rows, { choices: { roaster: chosen }, values }).map(({ title }) => title);
    expect(titles(undefined)).toEqual(['The chosen roasters', 'a', 'b', 'c']);
    expect(titles(['b'])).toEqual(['The chosen roasters', 'b']);
  });
});

describe('a table', () => {
  it('has a line for each set of labels, the largest first, and no number where none is known', () => {
    const [query] = roaster.rows[0]!.panels[0]!.queries;
    const column = (legend: string, values: Readonly<Record<string, number>>) => ({
      query: { ...query!, legend },
      samples: Object.entries(values).map(([name, value]) => ({ labels: { roaster: name }, value })),
    });
    expect(
      linesOf([column('age', { a: 1, b: 3 }), column('rate', { c: 5, a: 2 })], { labels: ['roaster'], sortBy: 'age' }),
    ).toEqual([
      { labels: ['b'], values: [3, undefined] },
      { labels: ['a'], values: [1, 2] },
      { labels: ['c'], values: [undefined, 5] },
    ]);
  });
});
