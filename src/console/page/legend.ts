import { largestOf, latestOf, type NamedSeries } from '../graph-data.ts';
import { textOf } from '../unit-text.ts';
import { element } from './element.ts';

export interface Legend {
  readonly element: HTMLElement;
  /** Shows the values of a step, or the latest ones. */
  readonly hover: (index: number | null) => void;
  onToggle: (index: number, isShown: boolean) => void;
}

export function legendOf(
  series: readonly NamedSeries[],
  { colors, unit }: { readonly colors: readonly string[]; readonly unit: string },
): Legend {
  const text = (value: number | null | undefined): string => (value == null ? '–' : textOf(value, unit));
  const cells = series.map(({ values }) => element('td', { text: text(latestOf(values)) }));
  const legend: Legend = {
    element: element('div', { class: 'legend', attributes: { tabindex: '0' } }),
    hover: (index) => {
      for (const [at, cell] of cells.entries()) {
        const values = series[at]?.values ?? [];
        cell.textContent = text(index === null ? latestOf(values) : values[index]);
      }
    },
    onToggle: () => undefined,
  };
  const lines = series.map(({ name, values }, index) => {
    const swatch = element('i');
    swatch.style.background = colors[index] ?? '';
    const toggle = element('button', { attributes: { 'aria-pressed': 'true' } }, swatch, name);
    toggle.addEventListener('click', () => {
      const isShown = toggle.ariaPressed !== 'true';
      toggle.ariaPressed = String(isShown);
      legend.onToggle(index, isShown);
    });
    const most = element('td', { class: 'max', text: text(largestOf(values)) });
    return element('tr', {}, element('td', { class: 'name' }, toggle), cells[index], most);
  });
  const head = element(
    'tr',
    {},
    element('th', { class: 'name' }),
    element('th', { text: 'last' }),
    element('th', { text: 'max' }),
  );
  legend.element.append(element('table', {}, element('thead', {}, head), element('tbody', {}, ...lines)));
  return legend;
}
