import type { PlainDashboard, PlainPanel } from '../../dashboards/model/plain.ts';
import { answersOf, seriesOf, type Moment } from '../answers.ts';
import type { DataSource } from '../data-source.ts';
import { addressOf, type View } from '../view.ts';
import { element } from './element.ts';
import { graphOf } from './graph.ts';
import { barsOf, distributionOf, statOf, tableOf } from './plain-forms.ts';

/** What a panel shows: data, that nothing has happened (`healthy`), that something is not known, or an error. */
type State = 'loading' | 'data' | 'healthy' | 'unknown' | 'error';

/** One panel on the page. It keeps what it shows until the answer to the next question is there. */
export class PanelView {
  readonly element: HTMLElement;
  readonly #panel: PlainPanel;
  readonly #body = element('div', { class: 'body' });
  #end: (() => void) | undefined;
  #question = 0;

  constructor(panel: PlainPanel, context: { readonly dashboards: readonly PlainDashboard[]; readonly view: View }) {
    this.#panel = panel;
    const { form, place } = panel;
    const classes = ['panel', form, place.width >= 12 ? 'wide' : '', place.width < 8 ? 'narrow' : ''];
    this.element = element(
      'section',
      { class: classes.join(' '), attributes: { 'aria-label': panel.title } },
      headOf(panel, context),
      this.#body,
    );
    const { style } = this.element;
    style.gridColumn = `${place.x + 1} / span ${place.width}`;
    style.gridRow = `${place.y + 1} / span ${place.height}`;
    style.setProperty('--h', String(place.height));
    this.#say('loading', '…');
  }

  /** Never rejects: an error is shown. */
  async ask(source: DataSource, moment: Moment): Promise<void> {
    const question = (this.#question += 1);
    try {
      const show = this.#panel.form === 'graph' ? await this.#graph(source, moment) : await this.#plain(source, moment);
      if (question === this.#question) show();
    } catch (error) {
      if (question === this.#question) this.#say('error', error instanceof Error ? error.message : String(error));
    }
  }

  end(): void {
    this.#question += 1;
    this.#end?.();
  }

  async #graph(source: DataSource, moment: Moment): Promise<() => void> {
    const { steps, series } = await seriesOf(this.#panel, source, moment);
    return () => {
      if (series.length === 0) return this.#empty();
      const graph = graphOf(this.#panel, series, steps);
      this.#show('data', graph.element);
      graph.draw();
      this.#end = () => graph.end();
    };
  }

  async #plain(source: DataSource, moment: Moment): Promise<() => void> {
    const answers = await answersOf(this.#panel, source, moment);
    return () => {
      if (answers.every(({ samples }) => samples.length === 0)) return this.#empty();
      const forms = { stat: statOf, bars: barsOf, table: tableOf, distribution: distributionOf, graph: statOf };
      this.#show('data', forms[this.#panel.form](this.#panel, answers));
    };
  }

  #empty(): void {
    const { meaning, text } = this.#panel.empty;
    this.#say(meaning, text);
  }

  #say(state: State, text: string): void {
    this.#show(state, element('p', { class: `note ${state}`, text, attributes: { role: 'status' } }));
  }

  #show(state: State, shown: HTMLElement): void {
    this.#end?.();
    this.#end = undefined;
    this.element.dataset['state'] = state;
    this.#body.replaceChildren(shown);
  }
}

function headOf(
  { title, description, leadsTo, empty }: PlainPanel,
  { dashboards, view }: { readonly dashboards: readonly PlainDashboard[]; readonly view: View },
): HTMLElement {
  const text = empty.meaning === 'healthy' ? `${description}\n\nEmpty is healthy: ${empty.text}.` : description;
  const about = element('div', { class: 'about-panel', text, attributes: { popover: '' } });
  const button = element('button', { text: 'i', title: text, attributes: { 'aria-label': `About ${title}` } });
  button.addEventListener('click', () => {
    const { bottom, left } = button.getBoundingClientRect();
    about.style.top = `${bottom + scrollY + 4}px`;
    about.style.left = `${Math.max(8, Math.min(left, innerWidth - 360))}px`;
    about.togglePopover();
  });
  const other = dashboards.find(({ uid }) => uid === leadsTo);
  const link = other === undefined ? undefined : linkTo(other, view);
  return element('header', {}, element('h3', { text: title, title }), link, button, about);
}

function linkTo({ uid, title }: PlainDashboard, view: View): HTMLElement {
  return element('a', { text: '→', title, attributes: { href: addressOf(uid, view), 'aria-label': title } });
}
