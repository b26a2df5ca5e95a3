import { expect, it } from 'vitest';
import { shipped } from '../../tests/support/dashboards/shipped.ts';
import { dashboardModels, type GraphModel } from '../dashboards/model/dashboard-model.ts';
import { seriesOf, type Moment } from './answers.ts';
import type { DataSource } from './data-source.ts';
import { colorNextToWarning, seriesColor } from './series-color.ts';

const panels = dashboardModels(shipped.dashboards).flatMap(({ rows }) => rows.flatMap((row) => row.panels));
const moment: Moment = { nowS: 1000, lengthS: 600, scrapeS: 15, choices: {} };

function graph(title: string): GraphModel {
  return panels.find((one) => one.form === 'graph' && one.title === title) as GraphModel;
}

/** Answers every query with these series, by the value of one label. */
function sourceOf(label: string, series: Readonly<Record<string, readonly number[]>>): DataSource {
  const all = Object.entries(series).map(([value, values]) => ({ labels: { [label]: value }, values }));
  return { labelValues: async () => [], at: async () => [], exemplars: async () => [], over: async () => all };
}

it('leaves out parts that are always 0, unless all of them are', async () => {
  const states = graph('Connections by what they do');
  const names = async (series: Readonly<Record<string, readonly number[]>>): Promise<readonly string[]> =>
    (await seriesOf(states, sourceOf('state', series), moment)).series.map(({ name }) => name);
  expect(await names({ active: [0, 1], disabled: [0, 0], idle_in_transaction: [2, 0] })).toEqual([
    'active',
    'idle_in_transaction',
  ]);
  expect(await names({ active: [0, 0], disabled: [0, 0] })).toEqual(['active', 'disabled']);
});

it('keeps lines that are 0: a roaster without a delay is an answer', async () => {
  const source = sourceOf('roaster', { late: [5, 6], punctual: [0, 0] });
  const { series } = await seriesOf(graph('Full runs overdue'), source, moment);
  expect(series.map(({ name }) => name)).toEqual(['late', 'punctual']);
});

it('names operations by what they do', async () => {
  const { series } = await seriesOf(graph('Calls'), sourceOf('operation', { 'A.2': [1], 'B.3': [2] }), moment);
  expect(series.map(({ name }) => name)).toEqual(['A.2 fetch', 'B.3 price monitoring']);
});

it('gives a name the same colour on every panel, also if others join, and no colour to two of ten', () => {
  const known = new Map<string, string>();
  const before = seriesColor('shopify', known);
  for (const name of ['woocommerce', 'custom', 'other']) seriesColor(name, known);
  expect(seriesColor('shopify', known)).toBe(before);
  expect(seriesColor('shopify', new Map([['custom', 'none of these']]))).toBe(before);
  const ten = Array.from({ length: 10 }, (_, index) => `series ${index}`);
  const colors = new Map<string, string>();
  expect(new Set(ten.map((name) => seriesColor(name, colors))).size).toBe(10);
});

it('gives no series a colour like that of a warning on a panel where one is', () => {
  const known = new Map<string, string>();
  const names = Array.from({ length: 7 }, (_, index) => `state ${index}`);
  for (const name of names) seriesColor(name, known);
  const onPanel = new Set(known.values());
  const colors = names.map((name) => colorNextToWarning(name, known, onPanel));
  expect(new Set(colors).size).toBe(7);
  expect(colors).not.toContain('#cf7a12');
  expect([...known.values()]).toContain('#cf7a12');
});
