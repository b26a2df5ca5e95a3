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
 * The meaning of a panel without data. `healthy`: the events that it would show have not happened. `unused`: what it would
 * show is not in use or switched off, which is neither good nor bad. `unknown`: data that should exist is missing. The panel
 * shows the text instead of the data.
 */
export interface Empty {
  readonly meaning: 'healthy' | 'unused' | 'unknown';
  readonly text: string;
}

/** How a series is coloured where its name has a meaning. */
export type Tone = 'good' | 'warning' | 'bad' | 'neutral';

interface PanelBase {
  /** Unique in its dashboard. */
  readonly title: string;
  /** Explains what the panel shows and what to do about it, to a reader who sees it for the first time. */
  readonly description: string;
  readonly empty: Empty;
  /** In columns; a row has 24. */
  readonly width: number;
  /** In units of about 30 pixels. */
  readonly height: number;
  /** The dashboard with more details. */
  readonly leadsTo?: DashboardUid;
  /** Names for series, and for lines and labels of a table, that have a code for a name. */
  readonly names?: Readonly<Record<string, string>>;
}

interface Valued {
  readonly queries: readonly Query[];
  readonly thresholds?: Threshold;
  readonly min?: number;
  readonly max?: number;
  /** The keys are names of series. */
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
export interface Histogram extends PanelBase {
  readonly form: 'histogram';
  readonly queries: readonly [Query];
}

export interface Column extends Query {
  readonly thresholds?: Threshold;
}

/** A line for each set of labels, now; the legend of a query is the header of its column. */
export interface Table extends PanelBase {
  readonly form: 'table';
  /** The labels that name a line, in order. */
  readonly labels: readonly string[];
  readonly queries: readonly Column[];
  /** The column by which lines are sorted, largest first. */
  readonly sortBy: string;
  /** The dashboard that shows one value of a label, and has a variable with the label's name. The keys are labels. */
  readonly leadsToValue?: Readonly<Record<string, ValueLink>>;
}

export interface ValueLink {
  readonly dashboard: DashboardUid;
  readonly title: string;
}

export type Panel = Graph | Stat | Bars | Histogram | Table;

/** A query and the name of its series, which may use the labels that the expression has and no others. */
export function show<Label extends string>(
  expression: Vector<Label>,
  legend: string | ((labels: Readonly<Record<Label, string>>) => string),
): Query {
  if (typeof legend === 'string') return { expression, legend };
  const placeholders = Object.fromEntries(expression.labels.map((label) => [label, `{{${label}}}`]));
  return { expression, legend: legend(placeholders as Record<Label, string>) };
}

/** Lines for values that exist at any time. */
export function lines(panel: Omit<Graph, 'form' | 'draw' | 'stacked'>): Graph {
  return { form: 'graph', draw: 'lines', stacked: false, ...panel };
}

/** Stacked areas for the parts of a whole that exist at any time. */
export function areas(panel: Omit<Graph, 'form' | 'draw' | 'stacked'>): Graph {
  return { form: 'graph', draw: 'lines', stacked: true, ...panel };
}

/** Bars for events: their number within each step. */
export function events(panel: Omit<Graph, 'form' | 'draw' | 'stacked' | 'minStep'>): Graph {
  return { form: 'graph', draw: 'bars', stacked: true, minStep: '5m', ...panel };
}

export function stat(panel: Omit<Stat, 'form'>): Stat {
  return { form: 'stat', ...panel };
}

export function bars(panel: Omit<Bars, 'form'>): Bars {
  return { form: 'bars', ...panel };
}

export function histogram(panel: Omit<Histogram, 'form'>): Histogram {
  return { form: 'histogram', ...panel };
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

export function unusedWhenEmpty(text: string): Empty {
  return { meaning: 'unused', text };
}

export function unknownWhenEmpty(text: string): Empty {
  return { meaning: 'unknown', text };
}

/** The description of a panel, with the meaning of an empty panel. */
export function aboutPanel({ description, empty: { meaning, text } }: Pick<Panel, 'description' | 'empty'>): string {
  if (meaning === 'unknown') return description;
  return `${description}\n\nEmpty is ${meaning === 'healthy' ? 'healthy' : 'normal'}: ${text}.`;
}

/**
 * For values that only the queries of a pack provide: the pack is not configured, or the database does not answer.
 *
 * @param right what the role needs to read them.
 */
export function unknownWithoutPack(name: string, right: string): Empty {
  return unknownWhenEmpty(
    `no receiver polls with the pack ${name}, or its role needs ${right}: siphon doctor prints the grant`,
  );
}
