import type { GraphModel, PanelModel } from '../../dashboards/model/dashboard-model.ts';
import { answersOf, exemplarsOf, seriesOf, type Moment } from '../answers.ts';
import type { DataSource } from '../data-source.ts';
import type { View } from '../view.ts';
import { element } from './element.ts';
import { graphOf, type Graph, type GraphContext } from './graph.ts';
import { panelHeader } from './panel-header.ts';
import { leftOut, numbersOf, type NumberPanel } from './number-panels.ts';

/** The state of a panel: data, nothing has happened (`healthy`), missing data (`unknown`), or an error. */
type State = 'loading' | 'data' | 'healthy' | 'unused' | 'unknown' | 'error';

export interface PanelContext extends Omit<GraphContext, 'known'> {
  readonly view: View;
}

/** In characters: longer names, such as statements, are below the graph also where a panel is wide. */
const LONGEST_NAME_NEXT_TO_GRAPH = 40;

/** One panel on the page. It keeps its content until the next response has arrived. */
export class PanelView {
  readonly element: HTMLElement;
  readonly #panel: PanelModel;
  readonly #context: PanelContext;
  readonly #body = element('div', { class: 'body' });
  #graph: Graph | undefined;
  readonly #colors = new Map<string, string>();
  #question = 0;

  constructor(panel: PanelModel, context: PanelContext) {
    this.#panel = panel;
    this.#context = context;
    const { form, place } = panel;
    const classes = ['panel', form, place.width >= 12 ? 'wide' : '', place.width < 8 ? 'narrow' : ''];
    this.element = element(
      'section',
      { class: classes.join(' '), attributes: { 'aria-label': panel.title } },
      panelHeader(panel, context),
      this.#body,
    );
    const { style } = this.element;
    this.element.dataset['id'] = String(panel.id);
    style.setProperty('--x', String(place.x + 1));
    style.setProperty('--w', String(place.width));
    style.setProperty('--h', String(place.height));
    this.#say('loading', '…');
  }

  /** Never rejects: an error is shown. */
  async ask(source: DataSource, moment: Moment): Promise<void> {
    const question = (this.#question += 1);
    try {
      const panel = this.#panel;
      const show =
        panel.form === 'graph'
          ? await this.#askGraph(panel, source, moment)
          : await this.#askNumbers(panel, source, moment);
      if (question === this.#question) show();
    } catch (error) {
      if (question === this.#question) this.#say('error', error instanceof Error ? error.message : String(error));
    }
  }

  end(): void {
    this.#question += 1;
    this.#graph?.end();
  }

  async #askGraph(panel: GraphModel, source: DataSource, moment: Moment): Promise<() => void> {
    const { steps, series, left } = await seriesOf(panel, source, moment);
    const exemplars = await exemplarsOf(panel, source, { moment, steps });
    return () => {
      if (series.length === 0) return this.#empty();
      const drawing = { steps, series, exemplars };
      const hasLongNames = series.some(({ name }) => name.length > LONGEST_NAME_NEXT_TO_GRAPH);
      this.element.classList.toggle('long-names', hasLongNames);
      if (this.#graph?.update(drawing) === true) return;
      const graph = graphOf(panel, drawing, { ...this.#context, known: this.#colors });
      this.#show('data', graph.element, leftOut(left));
      graph.draw();
      this.#graph = graph;
    };
  }

  async #askNumbers(panel: NumberPanel, source: DataSource, moment: Moment): Promise<() => void> {
    const answers = await answersOf(panel, source, moment);
    return () => {
      if (answers.every(({ samples }) => samples.length === 0)) return this.#empty();
      const before = this.#body.querySelector('.scroll');
      const [top, hasFocus] = [before?.scrollTop ?? 0, before !== null && before === document.activeElement];
      this.#show('data', ...numbersOf(panel, answers));
      const now = this.#body.querySelector<HTMLElement>('.scroll');
      now?.scrollTo({ top });
      if (hasFocus) now?.focus({ preventScroll: true });
    };
  }

  #empty(): void {
    const { meaning, text } = this.#panel.empty;
    this.#say(meaning, text);
  }

  #say(state: State, text: string): void {
    this.#show(state, element('p', { class: `note ${state}`, text }));
  }

  #show(state: State, ...shown: readonly (HTMLElement | undefined)[]): void {
    this.#graph?.end();
    this.#graph = undefined;
    this.element.dataset['state'] = state;
    this.element.ariaBusy = String(state === 'loading');
    this.#body.replaceChildren(...shown.filter((one) => one !== undefined));
  }
}
