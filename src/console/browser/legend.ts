import { largestOf, latestOf, totalOf, type NamedSeries } from '../graph-data.ts';
import { textOf } from '../unit-text.ts';
import { oneTabStop } from './arrow-keys.ts';
import { element } from './element.ts';

export interface Legend {
  readonly element: HTMLElement;
  /** Shows the values of a step, or the latest ones. */
  readonly hover: (index: number | null) => void;
  /** The same series, with other values. */
  readonly update: (series: readonly NamedSeries[]) => void;
  onToggle: (index: number, isShown: boolean) => void;
}

interface LegendLook {
  readonly title: string;
  readonly colors: readonly string[];
  readonly unit: string;
  /** True if each value counts events since the value before it. */
  readonly areCounts: boolean;
}

export function legendOf(first: readonly NamedSeries[], { title, colors, unit, areCounts }: LegendLook): Legend {
  const summary = areCounts ? totalOf : latestOf;
  const text = (value: number | null | undefined): string => (value == null ? '–' : textOf(value, unit));
  let series = first;
  let hovered: number | null = null;
  const cells = series.map(() => element('td'));
  const tops = series.map(() => element('td', { class: 'max' }));
  const fill = (): void => {
    for (const [at, { values }] of series.entries()) {
      cells[at]?.replaceChildren(text(hovered === null ? summary(values) : values[hovered]));
      tops[at]?.replaceChildren(text(largestOf(values)));
    }
  };
  const toggles = series.map(({ name }, index) => {
    const swatch = element('i');
    swatch.style.background = colors[index] ?? '';
    const toggle = element('button', { title: name, attributes: { 'aria-pressed': 'true' } }, swatch, name);
    toggle.addEventListener('click', () => {
      const isShown = toggle.ariaPressed !== 'true';
      toggle.ariaPressed = String(isShown);
      legend.onToggle(index, isShown);
    });
    return toggle;
  });
  // The largest first: a long legend is cut.
  const rank = areCounts ? totalOf : largestOf;
  const ranks = first.map(({ values }) => rank(values) ?? -Infinity);
  const order = [...first.keys()].toSorted((one, other) => (ranks[other] ?? 0) - (ranks[one] ?? 0));
  const lines = order.map((index) =>
    element('tr', {}, element('td', { class: 'name' }, toggles[index]), cells[index], tops[index]),
  );
  const headers = [areCounts ? 'total' : 'last', 'max'].map((header) => element('th', { text: header }));
  const header = element('tr', {}, element('th', { class: 'name' }), ...headers);
  const table = element(
    'table',
    { attributes: { 'aria-label': `Series of ${title}` } },
    element('thead', {}, header),
    element('tbody', {}, ...lines),
  );
  const legend: Legend = {
    element: element('div', { class: 'legend' }, table),
    hover: (index) => {
      hovered = index;
      fill();
    },
    update: (newer) => {
      series = newer;
      fill();
    },
    onToggle: () => undefined,
  };
  oneTabStop(
    legend.element,
    order.flatMap((index) => toggles[index] ?? []),
  );
  fill();
  return legend;
}
