/** The page: shows the view that the address names. */
import { html, render } from 'lit-html';
import type { PageSettings, ViewName } from '../page-settings.ts';
import { idPairOf } from '../trace-pair.ts';
import { PrometheusSource } from '../prometheus-source.ts';
import { alertsView } from './alerts-view.ts';
import { dashboardView } from './dashboard-view.ts';
import { databaseView } from './database-view.ts';
import { element } from './element.ts';
import { message } from './message.ts';
import { VIEW_TITLES, type PageView, type Stage } from './page-view.ts';
import { pipelinesView } from './pipelines-view.ts';
import { changesView } from './store/changes-view.ts';
import { comparisonView } from './store/comparison-view.ts';
import { errorsView } from './store/errors-view.ts';
import { logsView } from './store/logs-view.ts';
import { traceView } from './store/trace-view.ts';
import { tracesView } from './store/traces-view.ts';

const settings = (await (await fetch('/settings.json')).json()) as PageSettings;
const source = new PrometheusSource(settings.prometheus);
const stage: Stage = { top: placeFor('top'), main: placeFor('rows') };
let shown: PageView | undefined;

addEventListener('popstate', () => void open());
await open();

async function open(): Promise<void> {
  shown?.end();
  const [, name = '', id = ''] = location.pathname.split('/').map(decodeURIComponent);
  const view = settings.views.find((one) => one === name);
  showLinks(view);
  if (name === 'd' && settings.dashboards.every(({ uid }) => uid !== id)) {
    shown = unknownDashboard(id);
  } else if (view === undefined) {
    shown = await dashboardView(stage, settings, source);
  } else {
    document.title = `${VIEW_TITLES[view]} – siphon`;
    shown = viewOf(view, id);
  }
}

function unknownDashboard(uid: string): PageView {
  const links = settings.dashboards.map((one) => html`<li><a href=${`/d/${one.uid}`}>${one.title}</a></li>`);
  stage.top.replaceChildren();
  render(
    html`${message('error', `The dashboard ${uid} does not exist`)}
      <ul>
        ${links}
      </ul>`,
    stage.main,
  );
  return { end: () => undefined };
}

function viewOf(view: ViewName, id: string): PageView {
  switch (view) {
    case 'traces':
      return id === '' ? tracesView(stage) : tracesWith(id);
    case 'changes':
      return changesView(stage);
    case 'errors':
      return errorsView(stage);
    case 'logs':
      return logsView(stage);
    case 'database':
      return databaseView(stage);
    case 'alerts':
      return alertsView(stage);
    case 'pipelines':
      return pipelinesView(stage, source);
  }
}

function tracesWith(id: string): PageView {
  const ids = idPairOf(id);
  return ids === undefined ? traceView(id, stage, settings) : comparisonView(ids, stage);
}

/** The links to all views. A page that has only dashboards has none. */
function showLinks(current: ViewName | undefined): void {
  const nav = placeFor('views');
  nav.hidden = settings.views.length === 0;
  nav.replaceChildren(
    linkTo('/', 'Dashboards', current === undefined),
    ...settings.views.map((view) => linkTo(`/${view}`, VIEW_TITLES[view], view === current)),
  );
}

function linkTo(href: string, text: string, isCurrent: boolean): HTMLElement {
  return element('a', { text, attributes: { href, ...(isCurrent && { 'aria-current': 'page' }) } });
}

function placeFor(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`index.html has no #${id}`);
  return found;
}
