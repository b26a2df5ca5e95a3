/** The page: reads the address, asks, draws, and does so again. */
import type { DashboardModel } from '../../dashboards/model/dashboard-model.ts';
import type { Moment } from '../answers.ts';
import { secondsOf } from '../duration.ts';
import { withChoices } from '../expression.ts';
import { openingRange } from '../opening-time.ts';
import { PrometheusSource } from '../prometheus-source.ts';
import { repeated } from '../repeat.ts';
import { addressOf, between, spanOf, viewOf, type View } from '../view.ts';
import { element } from './element.ts';
import { rowView, type RowView } from './row-view.ts';
import { ZOOMED } from './time-controls.ts';
import { momentText } from './time-text.ts';
import { toolbarOf } from './toolbar.ts';

interface Settings {
  readonly dashboards: readonly DashboardModel[];
  readonly scrapeS: number;
  readonly sentry?: string;
}

const source = new PrometheusSource('/prometheus');
const { dashboards, scrapeS, sentry } = (await (await fetch('/settings.json')).json()) as Settings;
const top = document.querySelector('#top');
const main = document.querySelector('#rows');
let shown: readonly RowView[] = [];
let timer = 0;
let drawing = 0;

addEventListener('popstate', () => void open());
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => void open());
await open();
showPanel(new URLSearchParams(location.search).get('viewPanel'));

/** Shows the dashboard, time range and choices of the address. */
async function open(): Promise<void> {
  const mine = (drawing += 1);
  clearTimeout(timer);
  const uid = location.pathname.split('/').at(-1);
  const dashboard = dashboards.find((one) => one.uid === uid) ?? dashboards[0];
  if (dashboard === undefined) return;
  const address = new URLSearchParams(location.search);
  const opening = address.has('from') ? dashboard.from : await openingRange(dashboard, source, Date.now() / 1000);
  const view = viewOf({ ...dashboard, from: opening }, address);
  document.title = `${dashboard.title} – siphon`;
  const values = await valuesOf(dashboard, view);
  if (mine !== drawing) return;
  const change = (changed: View, state?: object): void => {
    history.pushState(state, '', addressOf(dashboard.uid, changed));
    void open();
  };
  const zoom = ({ fromS, toS }: { readonly fromS: number; readonly toS: number }): void => {
    const time = between(fromS, toS);
    if (time !== undefined) change({ ...view, time }, ZOOMED);
  };
  keepFocus(() => {
    const askAgain = (): void => void again(view);
    top?.replaceChildren(...toolbarOf({ dashboard, dashboards, view, values, change, askAgain }));
  });
  for (const row of shown) row.end();
  shown = repeated(dashboard.rows, { choices: view.choices, values }).map((row) =>
    rowView(row, {
      context: { view: { ...view, choices: row.choices }, zoom, sentry },
      ask: async (panels) => {
        const moment = momentOf({ ...view, choices: row.choices });
        await Promise.all(panels.map((panel) => panel.ask(source, moment)));
      },
    }),
  );
  const about = element('p', { class: 'about', text: dashboard.description });
  main?.replaceChildren(about, ...shown.map((row) => row.element));
  await again(view);
}

/** Asks for everything that can be seen, now and then every so often. */
async function again(view: View): Promise<void> {
  const mine = drawing;
  clearTimeout(timer);
  await Promise.all(shown.map((row) => row.ask()));
  if (mine !== drawing) return;
  top?.querySelector('.asked')?.replaceChildren(`as of ${momentText(Date.now() / 1000)}`);
  const every = view.refresh === undefined || !('last' in view.time) ? undefined : secondsOf(view.refresh);
  if (every === undefined) return;
  timer = setTimeout(() => {
    if (document.hidden) document.addEventListener('visibilitychange', () => void again(view), { once: true });
    else void again(view);
  }, every * 1000);
}

function momentOf({ time, choices }: View): Moment {
  const { fromS, toS } = spanOf(time, Date.now() / 1000);
  return { nowS: toS, lengthS: toS - fromS, scrapeS, choices };
}

/** Keeps the focus for keyboard users. */
function keepFocus(replace: () => void): void {
  const id = document.activeElement?.id ?? '';
  replace();
  if (id !== '') document.querySelector<HTMLElement>(`#${CSS.escape(id)}`)?.focus();
}

/** The one that the link of an alert names. */
function showPanel(id: string | null): void {
  const panel = shown.flatMap(({ panels }) => panels).find(({ element: { dataset } }) => dataset['id'] === id);
  panel?.element.classList.add('named');
  panel?.element.scrollIntoView({ block: 'center' });
}

/** The values of each variable. They are unknown if the query fails; the panels then show the reason. */
async function valuesOf(
  { variables }: DashboardModel,
  { time, choices }: View,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const span = spanOf(time, Date.now() / 1000);
  const asked = variables
    .filter((variable) => variable.kind === 'values')
    .map(async ({ name, of, series }): Promise<[string, readonly string[]]> => {
      const values = await source.labelValues(of, withChoices(series, choices), span).catch(() => []);
      return [name, values];
    });
  return new Map(await Promise.all(asked));
}
