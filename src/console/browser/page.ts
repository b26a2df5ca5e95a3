/** The page: shows the view that the address names. */
import { html, render } from 'lit-html';
import type { PageSettings, ViewName } from '../page-settings.ts';
import type { DataSource } from '../data-source.ts';
import { idPairOf } from '../trace-pair.ts';
import { address, followLinksWithin } from './address.ts';
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

/** Shows the page. @param asides what follows the links to the views. */
export async function startPage(
  settings: PageSettings,
  source: DataSource,
  asides: readonly HTMLElement[] = [],
): Promise<void> {
  const page = new Page(settings, source, asides);
  addEventListener('popstate', () => void page.open());
  followLinksWithin(document);
  await page.open();
}

class Page {
  readonly #settings: PageSettings;
  readonly #source: DataSource;
  readonly #asides: readonly HTMLElement[];
  readonly #stage: Stage = { top: placeFor('top'), main: placeFor('rows') };
  #shown: PageView | undefined;

  constructor(settings: PageSettings, source: DataSource, asides: readonly HTMLElement[]) {
    this.#settings = settings;
    this.#source = source;
    this.#asides = asides;
  }

  async open(): Promise<void> {
    this.#shown?.end();
    const { views, dashboards } = this.#settings;
    const [, name = '', id = ''] = address().pathname.split('/').map(decodeURIComponent);
    const view = views.find((one) => one === name);
    this.#showLinks(view);
    if (name === 'd' && dashboards.every(({ uid }) => uid !== id)) {
      this.#shown = this.#unknownDashboard(id);
    } else if (view === undefined) {
      this.#shown = await dashboardView(this.#stage, this.#settings, this.#source);
    } else {
      document.title = `${VIEW_TITLES[view]} – siphon`;
      this.#shown = this.#viewOf(view, id);
    }
  }

  #unknownDashboard(uid: string): PageView {
    const links = this.#settings.dashboards.map((one) => html`<li><a href=${`/d/${one.uid}`}>${one.title}</a></li>`);
    this.#stage.top.replaceChildren();
    render(
      html`${message('error', `The dashboard ${uid} does not exist`)}
        <ul>
          ${links}
        </ul>`,
      this.#stage.main,
    );
    return { end: () => undefined };
  }

  #viewOf(view: ViewName, id: string): PageView {
    switch (view) {
      case 'traces':
        return id === '' ? tracesView(this.#stage) : this.#tracesWith(id);
      case 'changes':
        return changesView(this.#stage);
      case 'errors':
        return errorsView(this.#stage);
      case 'logs':
        return logsView(this.#stage);
      case 'database':
        return databaseView(this.#stage);
      case 'alerts':
        return alertsView(this.#stage);
      case 'pipelines':
        return pipelinesView(this.#stage);
    }
  }

  #tracesWith(id: string): PageView {
    const ids = idPairOf(id);
    return ids === undefined ? traceView(id, this.#stage, this.#settings) : comparisonView(ids, this.#stage);
  }

  /** The links to all views. A page that has only dashboards has none. */
  #showLinks(current: ViewName | undefined): void {
    const nav = placeFor('views');
    nav.hidden = this.#settings.views.length === 0;
    nav.replaceChildren(
      linkTo('/', 'Dashboards', current === undefined),
      ...this.#settings.views.map((view) => linkTo(`/${view}`, VIEW_TITLES[view], view === current)),
      ...this.#asides,
    );
  }
}

function linkTo(href: string, text: string, isCurrent: boolean): HTMLElement {
  return element('a', { text, attributes: { href, ...(isCurrent && { 'aria-current': 'page' }) } });
}

function placeFor(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`index.html has no #${id}`);
  return found;
}
