/** Dashboards, rows and panels as data. Renderers draw them and add nothing. */
import type { Duration } from '../promql/node.ts';
import type { Vector } from '../promql/vector.ts';
import type { Threshold } from '../threshold.ts';
import type { Variable } from './variables.ts';

/** Names a dashboard in Grafana, in links and in file names. */
export type DashboardUid = string;

export interface Dashboard {
  readonly uid: DashboardUid;
  readonly title: string;
  readonly description: string;
  /** The time range that is shown first, up to now. */
  readonly from: Duration;
  readonly refresh: Duration;
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
}

export interface Row {
  readonly title: string;
  /** A variable: the row is repeated for each of its chosen values. */
  readonly repeatFor?: string;
  readonly panels: readonly Panel[];
}

export interface Query {
  readonly expression: Vector;
  /** The name of a series; `{{label}}` stands for the value of a label. */
  readonly legend: string;
}

/**
 * What it says that a panel has no data: `healthy`, that what it would show has not happened; `unknown`, that what should
 * be known is not. The text stands in the place of the data.
 */
export interface Empty {
  readonly meaning: 'healthy' | 'unknown';
  readonly text: string;
}

/** How a series is coloured where its name has a meaning. */
export type Tone = 'good' | 'warning' | 'bad' | 'neutral';

interface PanelBase {
  /** Unique in its dashboard. */
  readonly title: string;
  /** What it shows and what to do about it, for somebody who sees it for the first time. */
  readonly description: string;
  readonly empty: Empty;
  /** Of 24 columns. */
  readonly width: number;
  /** Of about 30 pixels. */
  readonly height: number;
  /** The dashboard that tells more. */
  readonly leadsTo?: DashboardUid;
}

interface Valued {
  readonly queries: readonly Query[];
  readonly thresholds?: Threshold;
  readonly min?: number;
  readonly max?: number;
  /** By the name of a series. */
  readonly tones?: Readonly<Record<string, Tone>>;
}

/** Values over time. */
export interface Graph extends PanelBase, Valued {
  readonly form: 'graph';
  /** Lines for what is at every moment, bars for what happens now and then. */
  readonly draw: 'lines' | 'bars';
  readonly stacked: boolean;
  /** The shortest step, so that a bar of a rare event is wide enough to be seen. */
  readonly minStep?: Duration;
}

/** One number for each series, now. */
export interface Stat extends PanelBase, Valued {
  readonly form: 'stat';
}

/** A bar for each series, now. */
export interface Bars extends PanelBase, Valued {
  readonly form: 'bars';
}

/** How many observations fell into each bucket of a histogram. */
export interface Distribution extends PanelBase {
  readonly form: 'distribution';
  readonly queries: readonly [Query];
}

export interface Column extends Query {
  readonly thresholds?: Threshold;
}

/** A line for each set of labels, now; the legend of a query is the head of its column. */
export interface Table extends PanelBase {
  readonly form: 'table';
  /** The labels that name a line, in order. */
  readonly labels: readonly string[];
  readonly queries: readonly Column[];
  /** The column by which lines are sorted, largest first. */
  readonly sortBy: string;
  /** By label: the dashboard that shows one value of it, which has a variable of that name. */
  readonly leadsToValue?: Readonly<Record<string, ValueLink>>;
}

export interface ValueLink {
  readonly dashboard: DashboardUid;
  readonly title: string;
}

export type Panel = Graph | Stat | Bars | Distribution | Table;

/** A query and the name of its series, which may use the labels that the expression has and no others. */
export function show<Label extends string>(
  expression: Vector<Label>,
  legend: string | ((labels: Readonly<Record<Label, string>>) => string),
): Query {
  if (typeof legend === 'string') return { expression, legend };
  const placeholders = Object.fromEntries(expression.labels.map((label) => [label, `{{${label}}}`]));
  return { expression, legend: legend(placeholders as Record<Label, string>) };
}

/** Of what is at every moment. */
export function lines(panel: Omit<Graph, 'form' | 'draw' | 'stacked'>): Graph {
  return { form: 'graph', draw: 'lines', stacked: false, ...panel };
}

/** Of parts of a whole that is at every moment. */
export function areas(panel: Omit<Graph, 'form' | 'draw' | 'stacked'>): Graph {
  return { form: 'graph', draw: 'lines', stacked: true, ...panel };
}

/** Of what happens now and then: how often within each step. */
export function events(panel: Omit<Graph, 'form' | 'draw' | 'stacked' | 'minStep'>): Graph {
  return { form: 'graph', draw: 'bars', stacked: true, minStep: '5m', ...panel };
}

export function stat(panel: Omit<Stat, 'form'>): Stat {
  return { form: 'stat', ...panel };
}

export function bars(panel: Omit<Bars, 'form'>): Bars {
  return { form: 'bars', ...panel };
}

export function distributionOf(panel: Omit<Distribution, 'form'>): Distribution {
  return { form: 'distribution', ...panel };
}

/** Every column is by the same labels. */
export function table<Label extends string>(
  panel: Omit<Table, 'form' | 'labels' | 'queries'> & {
    readonly labels: readonly Label[];
    readonly columns: readonly (Omit<Column, 'expression'> & { readonly expression: Vector<Label> })[];
  },
): Table {
  const { columns, ...rest } = panel;
  return { form: 'table', ...rest, queries: columns };
}

export function healthyWhenEmpty(text: string): Empty {
  return { meaning: 'healthy', text };
}

export function unknownWhenEmpty(text: string): Empty {
  return { meaning: 'unknown', text };
}
