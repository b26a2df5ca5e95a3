import { describe, expect, it } from 'vitest';
import { repeated } from '../../../src/console/repeat.ts';
import { linesOf } from '../../../src/console/table-lines.ts';
import { addressOf, viewOf } from '../../../src/console/view.ts';
import { dashboards } from '../../../src/dashboards/content/dashboards.ts';
import { plain } from '../../../src/dashboards/model/plain.ts';

const roaster = plain(dashboards.find(({ uid }) => uid === 'siphon-roaster')!);

describe('a view and its address', () => {
  it('begins with what the dashboard says, and everything', () => {
    const { range, refresh, choices } = viewOf(roaster, new URLSearchParams());
    expect({ range, refresh }).toEqual({ range: '30d', refresh: '5m' });
    expect(choices).toMatchObject({ roaster: undefined, window: ['7d'] });
  });

  it('comes back from its address', () => {
    const view = viewOf(
      roaster,
      new URLSearchParams('from=now-6h&refresh=&var-roaster=a&var-roaster=b%26c&var-window=1d'),
    );
    expect(view).toMatchObject({ range: '6h', refresh: undefined, choices: { roaster: ['a', 'b&c'], window: ['1d'] } });
    const address = new URL(addressOf(roaster.uid, view), 'http://localhost');
    expect(viewOf(roaster, address.searchParams)).toEqual(view);
  });

  it('takes nothing from an address that is not a choice', () => {
    const view = viewOf(roaster, new URLSearchParams('from=yesterday&var-window=1y'));
    expect(view).toMatchObject({ range: '30d', choices: { window: ['7d'] } });
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
