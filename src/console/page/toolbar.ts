/** The head of the page: dashboards, variables, time. */
import type { PlainDashboard, PlainVariable } from '../../dashboards/model/plain.ts';
import { addressOf, type View } from '../view.ts';
import { element } from './element.ts';

export interface Toolbar {
  readonly dashboard: PlainDashboard;
  readonly dashboards: readonly PlainDashboard[];
  readonly view: View;
  /** By the name of a variable. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly change: (view: View) => void;
}

const RANGES = ['15m', '1h', '6h', '1d', '7d', '30d'];
const REFRESHES = ['', '5s', '30s', '1m', '5m'];

export function toolbarOf(toolbar: Toolbar): readonly HTMLElement[] {
  const { dashboard, dashboards, view, change } = toolbar;
  const links = dashboards.map(({ uid, title }) =>
    element('a', {
      text: title,
      attributes: { href: addressOf(uid, view), ...(uid === dashboard.uid && { 'aria-current': 'page' }) },
    }),
  );
  const range = selectOf('Last', withValue(RANGES, view.range), view.range, (value) =>
    change({ ...view, range: value }),
  );
  const refresh = selectOf('Refresh', withValue(REFRESHES, view.refresh ?? ''), view.refresh ?? '', (value) =>
    change({ ...view, refresh: value === '' ? undefined : value }),
  );
  return [
    element('h1', { text: 'siphon' }),
    element('nav', { attributes: { 'aria-label': 'Dashboards' } }, ...links),
    element('div', { class: 'choices' }, ...dashboard.variables.map((one) => chooserOf(one, toolbar)), range, refresh),
  ];
}

function withValue(values: readonly string[], value: string): readonly string[] {
  return values.includes(value) ? values : [...values, value];
}

function chooserOf(variable: PlainVariable, toolbar: Toolbar): HTMLElement | undefined {
  if (variable.kind === 'datasource') return undefined;
  const { view, values, change } = toolbar;
  const { name, label, description } = variable;
  const choose = (chosen: readonly string[] | undefined): void =>
    change({ ...view, choices: { ...view.choices, [name]: chosen } });
  const chosen = view.choices[name];
  if (variable.kind === 'choice') {
    return selectOf(label, variable.values, chosen?.[0] ?? variable.first, (value) => choose([value]), description);
  }
  // What is chosen can be taken back, also when it is no longer there.
  const known = [...new Set([...(values.get(name) ?? []), ...(chosen ?? [])])];
  return pickerOf({ label, description, known, chosen, choose });
}

interface Picker {
  readonly label: string;
  readonly description: string;
  readonly known: readonly string[];
  readonly chosen: readonly string[] | undefined;
  readonly choose: (chosen: readonly string[] | undefined) => void;
}

/** Several of a list, or all; it takes effect when it is closed. */
function pickerOf({ label, description, known, chosen, choose }: Picker): HTMLElement {
  const boxes = known.map((value) => checkbox(value, chosen?.includes(value) ?? false));
  const summary = element(
    'summary',
    { title: description },
    element('span', { text: label }),
    element('b', { text: chosen?.join(', ') ?? 'All' }),
  );
  const list = known.length === 0 ? [element('em', { text: 'none known' })] : boxes.map(({ element: line }) => line);
  const picker = element('details', { class: 'picker' }, summary, element('div', {}, ...list));
  const close = (): void => picker.removeAttribute('open');
  picker.addEventListener('toggle', () => {
    if (picker.open) return;
    const now = known.filter((_, index) => boxes[index]?.input.checked === true);
    if (now.join('\0') !== (chosen ?? []).join('\0')) choose(now.length === 0 ? undefined : now);
  });
  picker.addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape') return;
    close();
    summary.focus();
  });
  document.addEventListener('click', ({ target }) => {
    if (!picker.contains(target as Node)) close();
  });
  return picker;
}

function checkbox(value: string, isChecked: boolean): { element: HTMLElement; input: HTMLInputElement } {
  const input = element('input', { attributes: { type: 'checkbox' } });
  input.checked = isChecked;
  return { element: element('label', {}, input, value), input };
}

function selectOf(
  label: string,
  values: readonly string[],
  value: string,
  ...[choose, title]: [choose: (value: string) => void, title?: string]
): HTMLElement {
  const options = values.map((one) =>
    element('option', { text: one === '' ? 'off' : one, attributes: { value: one } }),
  );
  const select = element('select', {}, ...options);
  select.value = value;
  select.addEventListener('change', () => choose(select.value));
  return element('label', title === undefined ? {} : { title }, `${label} `, select);
}
