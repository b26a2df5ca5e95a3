/** The title of a panel, its description, and the link to more details. */
import type { DashboardRef, PanelModel } from '../../dashboards/model/dashboard-model.ts';
import { aboutPanel } from '../../dashboards/model/panel.ts';
import { addressOf, type View } from '../view.ts';
import { element } from './element.ts';
import { opens, popoverOf } from './popover.ts';

export function panelHeader(panel: PanelModel, { view }: { readonly view: View }): HTMLElement {
  const { title, leadsTo } = panel;
  const text = aboutPanel(panel);
  const about = popoverOf(
    'about-panel',
    element('p', { text }),
    ...panel.queries.map(({ expression }) => element('code', { text: expression })),
  );
  const button = element('button', { text: 'i', title: text, attributes: { 'aria-label': `About ${title}` } });
  opens(button, about);
  const link = leadsTo === undefined ? undefined : linkTo(leadsTo, view);
  return element('header', {}, element('h3', { text: title, title }), link, button, about);
}

function linkTo({ uid, title }: DashboardRef, view: View): HTMLElement {
  return element('a', { text: '→', title, attributes: { href: addressOf(uid, view), 'aria-label': title } });
}
