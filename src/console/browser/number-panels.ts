/** The panels that show numbers of one moment, without a canvas. */
import type {
  BarsModel,
  HistogramModel,
  GraphModel,
  PanelModel,
  StatModel,
  TableModel,
} from '../../dashboards/model/dashboard-model.ts';
import type { AnsweredQuery } from '../answers.ts';
import { bucketsOf } from '../buckets.ts';
import { nameOf } from '../series-name.ts';
import { shownPart } from '../shown-part.ts';
import { linesOf } from '../table-lines.ts';
import { toneOf } from '../tone.ts';
import { bucketText, spokenText, textOf } from '../unit-text.ts';
import { element } from './element.ts';
import { withOrigin, type Origin } from './number-origin.ts';

interface Named {
  readonly name: string;
  readonly value: number;
  readonly text: string;
  readonly tone: string;
  readonly origin: Origin;
}

/** Longer lists are not read to the end. */
const MOST_NUMBERS = 100;
const MOST_LINES = 500;

/** A note if not all values are shown. */
export function leftOut(count: number): HTMLElement | undefined {
  return count === 0 ? undefined : element('p', { class: 'left-out', text: `${count} more are not shown` });
}

type Shown = readonly (HTMLElement | undefined)[];

export type NumberPanel = Exclude<PanelModel, GraphModel>;

export function numbersOf(panel: NumberPanel, answers: readonly AnsweredQuery[]): Shown {
  switch (panel.form) {
    case 'stat':
      return statOf(panel, answers);
    case 'bars':
      return barsOf(panel, answers);
    case 'histogram':
      return histogramOf(panel, answers);
    case 'table':
      return tableOf(panel, answers);
  }
}

function statOf(panel: StatModel, answers: readonly AnsweredQuery[]): Shown {
  const { shown: all, left } = shownPart(namedValues(panel, answers), MOST_NUMBERS);
  const isNamed = answers.length > 1 || answers.some(({ query }) => query.legend.includes('{{'));
  const items = all.map(({ name, text, tone, origin }) =>
    element(
      'div',
      {},
      withOrigin(element('strong', { class: tone, text }), origin),
      isNamed ? element('span', { text: name }) : undefined,
    ),
  );
  return [element('div', { class: all.length > 1 ? 'numbers many' : 'numbers' }, ...items), leftOut(left)];
}

function barsOf(panel: BarsModel, answers: readonly AnsweredQuery[]): Shown {
  const sorted = namedValues(panel, answers).toSorted((one, other) => other.value - one.value);
  const { shown: all, left } = shownPart(sorted, MOST_NUMBERS);
  const most = panel.max ?? Math.max(...all.map(({ value }) => Math.abs(value)));
  const cells = all.flatMap(({ name, value, text, tone, origin }) => {
    const fill = element('i');
    fill.style.width = `${most > 0 ? Math.min(100, (Math.max(0, value) / most) * 100) : 0}%`;
    return [
      element('span', { class: 'name', text: name, title: name }),
      element('span', { class: `track ${tone || 'neutral'}` }, fill),
      withOrigin(element('span', { class: `value ${tone}`, text }), origin),
    ];
  });
  return [element('div', { class: 'gauges' }, ...cells), leftOut(left)];
}

function histogramOf({ queries }: HistogramModel, answers: readonly AnsweredQuery[]): Shown {
  const { observedUnit = '' } = queries[0] ?? {};
  const all = bucketsOf(answers.flatMap(({ samples }) => samples));
  const { shown: buckets, left } = shownPart(all, MOST_NUMBERS);
  const most = Math.max(...buckets.map(({ count }) => count));
  const columns = buckets.map(({ upTo, count }, index) => {
    const fill = element('i');
    fill.style.height = `${most > 0 ? (count / most) * 100 : 0}%`;
    const bucket = bucketText(upTo, buckets[index - 1]?.upTo, observedUnit);
    const title = `${bucket}: ${textOf(count, '')}`;
    const number = element('b', { text: count > 0 ? textOf(count, '') : '' });
    const bar = element('div', { class: 'bar' }, number, fill);
    return element('div', { title, attributes: { role: 'listitem' } }, bar, element('span', { text: bucket }));
  });
  return [element('div', { class: 'histogram', attributes: { role: 'list' } }, ...columns), leftOut(left)];
}

function tableOf(
  { title, labels, sortBy, queries, names: called }: TableModel,
  answers: readonly AnsweredQuery[],
): Shown {
  const headers = [
    ...labels.map((label) => element('th', { class: 'name', text: called[label] ?? label })),
    ...answers.map(({ query }) => element('th', { text: query.legend })),
  ];
  const { shown, left } = shownPart(linesOf(answers, { labels, sortBy }), MOST_LINES);
  const lines = shown.map((line) => {
    const names = line.labels.map((label) => {
      const text = called[label] ?? label;
      return element('td', { class: 'name', text, title: text });
    });
    const values = line.values.map((value, index) => {
      const { unit = '', thresholds } = queries[index] ?? {};
      if (value === undefined) return element('td', { text: '–' });
      const cell = element('td', { class: toneOf(value, thresholds) ?? '', text: spokenText(value, unit) });
      const { expression = '', atS = 0 } = answers[index] ?? {};
      return withOrigin(cell, { expression, atUnixMs: atS * 1000, labels: line.labels, value });
    });
    return element('tr', {}, ...names, ...values);
  });
  const table = element(
    'table',
    {},
    element('thead', {}, element('tr', {}, ...headers)),
    element('tbody', {}, ...lines),
  );
  const attributes = { tabindex: '0', role: 'region', 'aria-label': `Table: ${title}` };
  return [element('div', { class: 'scroll', attributes }, table), leftOut(left)];
}

function namedValues({ thresholds, tones, names }: StatModel | BarsModel, answers: readonly AnsweredQuery[]): Named[] {
  return answers.flatMap(({ query, samples, expression, atS }) =>
    samples.map(({ labels, value }) => {
      const name = nameOf(query.legend, labels, names);
      const tone = toneOf(value, thresholds) ?? tones[name] ?? '';
      const origin = { expression, atUnixMs: atS * 1000, labels: Object.values(labels), value };
      return { name, value, text: spokenText(value, query.unit), tone, origin };
    }),
  );
}
