/** The page: reads the address, asks, draws, and does so again. */
import type { PlainDashboard } from '../../dashboards/model/plain.ts';
import type { Moment } from '../answers.ts';
import { secondsOf } from '../duration.ts';
import { withChoices, type Choices } from '../expression.ts';
import { PrometheusSource } from '../prometheus-source.ts';
import { repeated } from '../repeat.ts';
import { addressOf, viewOf, type View } from '../view.ts';
import { element } from './element.ts';
import { PanelView } from './panel-view.ts';
import { toolbarOf } from './toolbar.ts';

interface Settings {
  readonly dashboards: readonly PlainDashboard[];
  readonly scrapeS: number;
}

interface ShownRow {
  readonly details: HTMLDetailsElement;
  readonly panels: readonly PanelView[];
  readonly choices: Choices;
}

const source = new PrometheusSource('/prometheus');
const { dashboards, scrapeS } = (await (await fetch('/settings.json')).json()) as Settings;
const top = document.querySelector('#top');
const main = document.querySelector('#rows');
let shown: readonly ShownRow[] = [];
let timer = 0;
let drawing = 0;

addEventListener('popstate', () => void open());
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => void open());
await open();

/** Shows what the address says. */
async function open(): Promise<void> {
  const mine = (drawing += 1);
  const uid = location.pathname.split('/').at(-1);
  const dashboard = dashboards.find((one) => one.uid === uid) ?? dashboards[0];
  if (dashboard === undefined) return;
  const view = viewOf(dashboard, new URLSearchParams(location.search));
  document.title = `${dashboard.title} – siphon`;
  const values = await valuesOf(dashboard, view);
  if (mine !== drawing) return;
  const change = (changed: View): void => {
    history.pushState(undefined, '', addressOf(dashboard.uid, changed));
    void open();
  };
  top?.replaceChildren(...toolbarOf({ dashboard, dashboards, view, values, change }));
  for (const panel of shown.flatMap(({ panels }) => panels)) panel.end();
  shown = repeated(dashboard.rows, { choices: view.choices, values }).map((row) => shownRow(row, view));
  main?.replaceChildren(
    element('p', { class: 'about', text: dashboard.description }),
    ...shown.map(({ details }) => details),
  );
  await again(view);
}

/** Asks for everything that can be seen, now and then every so often. */
async function again(view: View): Promise<void> {
  const mine = drawing;
  clearTimeout(timer);
  await Promise.all(shown.filter(({ details }) => details.open).map((row) => askRow(row, view)));
  const every = view.refresh === undefined ? undefined : secondsOf(view.refresh);
  if (every === undefined || mine !== drawing) return;
  timer = setTimeout(() => {
    if (document.hidden) document.addEventListener('visibilitychange', () => void again(view), { once: true });
    else void again(view);
  }, every * 1000);
}

async function askRow({ panels, choices }: ShownRow, { range }: View): Promise<void> {
  const moment: Moment = { nowS: Date.now() / 1000, lengthS: secondsOf(range) ?? 3600, scrapeS, choices };
  await Promise.all(panels.map((panel) => panel.ask(source, moment)));
}

function shownRow({ row, title, choices, isOpen }: ReturnType<typeof repeated>[number], view: View): ShownRow {
  const panels = row.panels.map((panel) => new PanelView(panel, { dashboards, view: { ...view, choices } }));
  const details = element(
    'details',
    { class: 'row' },
    element('summary', { text: title }),
    element('div', { class: 'grid' }, ...panels.map((panel) => panel.element)),
  );
  details.open = isOpen;
  const result = { details, panels, choices };
  details.addEventListener('toggle', () => {
    const isUnasked = panels.some((panel) => panel.element.dataset['state'] === 'loading');
    if (details.open && isUnasked) void askRow(result, view);
  });
  return result;
}

/** What each variable can be; one that cannot be asked for is unknown, and the panels say why. */
async function valuesOf(
  { variables }: PlainDashboard,
  { range, choices }: View,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const toS = Date.now() / 1000;
  const time = { fromS: toS - (secondsOf(range) ?? 3600), toS };
  const asked = variables
    .filter((variable) => variable.kind === 'values')
    .map(async ({ name, of, series }): Promise<[string, readonly string[]]> => {
      const values = await source.labelValues(of, withChoices(series, choices), time).catch(() => []);
      return [name, values];
    });
  return new Map(await Promise.all(asked));
}
