/** A dashboard: reads the address, asks, draws, and does so again. */
import type { DashboardModel } from '../../dashboards/model/dashboard-model.ts';
import type { Moment } from '../answers.ts';
import { dashboardsWithData, dashboardWithData } from '../dashboard-with-data.ts';
import { dataBegins } from '../data-begins.ts';
import type { DataSource } from '../data-source.ts';
import { secondsOf } from '../../dashboards/promql/duration.ts';
import { withChoices } from '../expression.ts';
import { openingRange } from '../opening-time.ts';
import type { PageSettings } from '../page-settings.ts';
import { repeated } from '../repeat.ts';
import { traceLink } from '../trace.ts';
import { addressOf, between, spanOf, viewOf, type View } from '../view.ts';
import { address, pushAddress } from './address.ts';
import { element } from './element.ts';
import type { PageView, Stage } from './page-view.ts';
import { rowView, type RowView } from './row-view.ts';
import { ZOOMED } from './time-controls.ts';
import { momentText } from './time-text.ts';
import { toolbarOf } from './toolbar.ts';

/** @returns when everything that can be seen has been asked for. */
export async function dashboardView(stage: Stage, settings: PageSettings, source: DataSource): Promise<PageView> {
  const page = new DashboardPage(stage, settings, source);
  await page.open();
  return page;
}

class DashboardPage implements PageView {
  readonly #stage: Stage;
  readonly #settings: PageSettings;
  readonly #source: DataSource;
  readonly #whenColorsChange = new AbortController();
  #rows: readonly RowView[] = [];
  #timer = 0;
  #drawing = 0;

  constructor(stage: Stage, settings: PageSettings, source: DataSource) {
    this.#stage = stage;
    this.#settings = settings;
    this.#source = source;
    const { signal } = this.#whenColorsChange;
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => void this.open(), { signal });
  }

  end(): void {
    this.#drawing += 1;
    clearTimeout(this.#timer);
    this.#whenColorsChange.abort();
    for (const row of this.#rows) row.end();
  }

  /** Shows the dashboard, time range and choices of the address. */
  async open(): Promise<void> {
    const mine = (this.#drawing += 1);
    clearTimeout(this.#timer);
    const { dashboard, listed } = await this.#chosen();
    const { searchParams: parameters } = address();
    const opening = parameters.has('from') ? dashboard.from : await openingRange(dashboard, this.#source, nowS());
    const view = viewOf({ ...dashboard, from: opening }, parameters);
    document.title = `${dashboard.title} – siphon`;
    const values = await this.#valuesOf(dashboard, view);
    if (mine !== this.#drawing) return;
    const change = (changed: View, state?: object): void => {
      pushAddress(addressOf(dashboard.uid, changed), state);
      void this.open();
    };
    const zoom = ({ fromS, toS }: { readonly fromS: number; readonly toS: number }): void => {
      const time = between(fromS, toS);
      if (time !== undefined) change({ ...view, time }, ZOOMED);
    };
    keepFocus(() => {
      const showsChanges = this.#settings.views.includes('changes');
      const askAgain = (): void => void this.#again(view);
      this.#stage.top.replaceChildren(
        ...toolbarOf({ dashboard, dashboards: listed, view, values, change, askAgain, showsChanges }),
      );
    });
    for (const row of this.#rows) row.end();
    this.#rows = repeated(dashboard.rows, { choices: view.choices, values }).map((row) =>
      rowView(row, {
        context: {
          view: { ...view, choices: row.choices },
          zoom,
          traceLink: (traceId) => traceLink(traceId, this.#settings),
        },
        ask: async (panels) => {
          const moment = this.#momentOf({ ...view, choices: row.choices });
          await Promise.all(panels.map((panel) => panel.ask(this.#source, moment)));
        },
      }),
    );
    const about = element('p', { class: 'about', text: dashboard.description });
    this.#stage.main.replaceChildren(about, ...this.#rows.map((row) => row.element));
    await this.#again(view);
    if (mine === this.#drawing) this.#showPanel(parameters.get('viewPanel'));
  }

  /** The dashboard of the address, or else the first with data. */
  async #chosen(): Promise<{ readonly dashboard: DashboardModel; readonly listed: readonly DashboardModel[] }> {
    const { dashboards } = this.#settings;
    const uid = address().pathname.split('/').at(-1);
    const named = dashboards.find((one) => one.uid === uid);
    if (!this.#settings.listsOnlyWithData) {
      return { dashboard: named ?? (dashboards[0] as DashboardModel), listed: dashboards };
    }
    const hour = { fromS: nowS() - 3600, toS: nowS() };
    const names = new Set(await this.#source.labelValues('__name__', '{__name__=~".+"}', hour).catch(() => []));
    const listed = dashboardsWithData(dashboards, names);
    const dashboard = named ?? dashboardWithData(dashboards, names);
    return { dashboard, listed: listed.includes(dashboard) ? listed : [...listed, dashboard] };
  }

  /** Asks for everything that can be seen, now and then every so often. */
  async #again(view: View): Promise<void> {
    const mine = this.#drawing;
    clearTimeout(this.#timer);
    const begins = dataBegins(this.#source, spanOf(view.time, nowS()));
    await Promise.all(this.#rows.map((row) => row.ask()));
    const beginsS = await begins;
    if (mine !== this.#drawing) return;
    const since = beginsS === undefined ? '' : `data since ${momentText(beginsS)}, `;
    this.#stage.top.querySelector('.asked')?.replaceChildren(`${since}as of ${momentText(nowS())}`);
    const every = view.refresh === undefined || !('last' in view.time) ? undefined : secondsOf(view.refresh);
    if (every === undefined) return;
    this.#timer = window.setTimeout(() => {
      if (document.hidden) document.addEventListener('visibilitychange', () => void this.#again(view), { once: true });
      else void this.#again(view);
    }, every * 1000);
  }

  #momentOf({ time, choices }: View): Moment {
    const { fromS, toS } = spanOf(time, nowS());
    return { nowS: toS, lengthS: toS - fromS, scrapeS: this.#settings.scrapeS, choices };
  }

  /** The one that the link of an alert names. */
  #showPanel(id: string | null): void {
    const panel = this.#rows.flatMap(({ panels }) => panels).find((one) => one.element.dataset['id'] === id);
    panel?.element.classList.add('named');
    panel?.element.scrollIntoView({ block: 'center' });
  }

  /** The values of each variable. They are unknown if the query fails; the panels then show the reason. */
  async #valuesOf(
    { variables }: DashboardModel,
    { time, choices }: View,
  ): Promise<ReadonlyMap<string, readonly string[]>> {
    const span = spanOf(time, nowS());
    const asked = variables
      .filter((variable) => variable.kind === 'values')
      .map(async ({ name, of, series }): Promise<[string, readonly string[]]> => {
        const values = await this.#source.labelValues(of, withChoices(series, choices), span).catch(() => []);
        return [name, values];
      });
    return new Map(await Promise.all(asked));
  }
}

function nowS(): number {
  return Date.now() / 1000;
}

/** Keeps the focus for keyboard users. */
function keepFocus(replace: () => void): void {
  const id = document.activeElement?.id ?? '';
  replace();
  if (id !== '') document.querySelector<HTMLElement>(`#${CSS.escape(id)}`)?.focus();
}
