/** The header of the page: dashboards, variables, time. */
import type { DashboardModel, VariableModel } from '../../dashboards/model/dashboard-model.ts';
import { addressOf, type View } from '../view.ts';
import { element } from './element.ts';
import { pickerOf } from './picker.ts';
import { timeControls } from './time-controls.ts';

export interface Toolbar {
  readonly dashboard: DashboardModel;
  readonly dashboards: readonly DashboardModel[];
  readonly view: View;
  /** The values by the name of a variable. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly change: (view: View) => void;
  readonly askAgain: () => void;
  readonly showsChanges: boolean;
}

export function toolbarOf(toolbar: Toolbar): readonly HTMLElement[] {
  const { dashboard, dashboards, view } = toolbar;
  const links = dashboards.map(({ uid, title }) =>
    element('a', {
      text: title,
      attributes: { href: addressOf(uid, view), ...(uid === dashboard.uid && { 'aria-current': 'page' }) },
    }),
  );
  const choosers = dashboard.variables.map((one) => chooserOf(one, toolbar));
  const group = { role: 'group', 'aria-label': 'Variables and time' };
  return [
    element('nav', { attributes: { 'aria-label': 'Dashboards' } }, ...links),
    element('div', { class: 'choices', attributes: group }, ...choosers, ...timeControls(toolbar)),
  ];
}

function chooserOf(variable: VariableModel, { view, values, change }: Toolbar): HTMLElement | undefined {
  if (variable.kind === 'datasource') return undefined;
  const { name, label, description } = variable;
  const choose = (chosen: readonly string[] | undefined): void =>
    change({ ...view, choices: { ...view.choices, [name]: chosen } });
  const chosen = view.choices[name];
  const id = `var-${name}`;
  // A chosen value can be deselected, even if it no longer exists.
  const known = [...new Set([...(chosen ?? []), ...(values.get(name) ?? [])])];
  return pickerOf({ id, label, description, known, chosen, choose });
}
