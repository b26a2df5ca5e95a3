/** The model of a dashboard that renderers draw: every expression is text, every panel has its place. */
import { STEP } from '../promql/events.ts';
import { selectorsOf, type Node, type Selector } from '../promql/node.ts';
import { render, type Scope } from '../promql/render.ts';
import type { Threshold } from '../threshold.ts';
import { layOut, type Place } from './layout.ts';
import type { Bars, Column, Dashboard, DashboardUid, Empty, Graph, Panel, Query, Stat, Table, Tone } from './panel.ts';
import { unitOf } from './unit.ts';
import { scopeOf, type DatasourceVariable, type Variable } from './variables.ts';

export interface DashboardModel extends DashboardRef {
  readonly description: string;
  readonly from: string;
  readonly refresh: string;
  readonly variables: readonly VariableModel[];
  /** The other dashboards; a link keeps the time and the variables. */
  readonly links: readonly DashboardRef[];
  readonly rows: readonly RowModel[];
}

export interface DashboardRef {
  readonly uid: DashboardUid;
  readonly title: string;
}

export type VariableModel = DatasourceVariable | ValuesVariableModel;

export interface ValuesVariableModel {
  readonly kind: 'values';
  readonly name: string;
  readonly label: string;
  readonly description: string;
  /** The series whose label `of` has the values. */
  readonly series: string;
  readonly of: string;
}

export interface RowModel {
  readonly id: number;
  readonly title: string;
  /** A variable: the row is repeated for each of its chosen values. */
  readonly repeatFor: string | undefined;
  readonly height: number;
  readonly panels: readonly PanelModel[];
}

export type PanelModel = GraphModel | StatModel | BarsModel | HistogramModel | TableModel;

interface BaseModel {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  readonly place: Place;
  readonly empty: Empty;
  readonly leadsTo: DashboardRef | undefined;
  readonly names: Readonly<Record<string, string>>;
  readonly queries: readonly QueryModel[];
}

interface ValuedModel extends BaseModel {
  readonly thresholds: Threshold | undefined;
  readonly min: number | undefined;
  readonly max: number | undefined;
  /** The keys are names of series. */
  readonly tones: Readonly<Record<string, Tone>>;
}

export interface GraphModel extends ValuedModel {
  readonly form: 'graph';
  readonly draw: Graph['draw'];
  readonly stacked: boolean;
  readonly minStep: string | undefined;
}

export interface StatModel extends ValuedModel {
  readonly form: 'stat';
}

export interface BarsModel extends ValuedModel {
  readonly form: 'bars';
}

export interface HistogramModel extends BaseModel {
  readonly form: 'histogram';
}

export interface TableModel extends BaseModel {
  readonly form: 'table';
  /** The labels that name a line, in order. */
  readonly labels: readonly string[];
  readonly queries: readonly ColumnModel[];
  readonly sortBy: string;
  readonly leadsToValue: NonNullable<Table['leadsToValue']>;
}

export interface QueryModel {
  /** `A`, `B`, …, as Grafana calls them. */
  readonly refId: string;
  readonly expression: string;
  readonly legend: string;
  /** UCUM. */
  readonly unit: string;
  /** True for an instant query, false for a range query. */
  readonly instant: boolean;
  /** The query for the exemplars behind it; undefined if its series have none. */
  readonly exemplars: string | undefined;
  /** UCUM: the unit of the bounds of a histogram, and of exemplars, which differs from the unit of the query. */
  readonly observedUnit: string | undefined;
}

export interface ColumnModel extends QueryModel {
  readonly thresholds: Threshold | undefined;
}

/** @param dashboards All that link to each other. */
export function dashboardModels(dashboards: readonly Dashboard[]): readonly DashboardModel[] {
  const refs = dashboards.map(({ uid, title }): DashboardRef => ({ uid, title }));
  return dashboards.map((dashboard) => dashboardModel(dashboard, refs));
}

function dashboardModel(dashboard: Dashboard, refs: readonly DashboardRef[]): DashboardModel {
  const { uid, title, description, from, refresh, variables } = dashboard;
  const scope = scopeOf(variables);
  return {
    uid,
    title,
    description,
    from,
    refresh,
    variables: variables.map(variableModel),
    links: refs.filter((other) => other.uid !== uid),
    rows: layOut(dashboard).map((row) => ({
      ...row,
      panels: row.panels.map(({ id, panel, place }) => panelModel(panel, { id, place, scope, refs })),
    })),
  };
}

function variableModel(variable: Variable): VariableModel {
  if (variable.kind !== 'values') return variable;
  const { kind, name, label, description, series, of, within = {} } = variable;
  const matchers = Object.entries(within).map(([key, other]) => `${key}=~"$${other}"`);
  const text = render(series);
  return {
    kind,
    name,
    label,
    description,
    series: matchers.length === 0 ? text : `${text}{${matchers.join(', ')}}`,
    of,
  };
}

interface PanelPlace {
  readonly id: number;
  readonly place: Place;
  readonly scope: Scope;
  readonly refs: readonly DashboardRef[];
}

function panelModel(panel: Panel, { id, place, scope, refs }: PanelPlace): PanelModel {
  const { title, description, empty, leadsTo, names = {} } = panel;
  const queries = panel.queries.map((query, index) => queryModel(query, { index, form: panel.form, scope }));
  const base: BaseModel = { id, title, description, place, empty, queries, leadsTo: refTo(leadsTo, refs), names };
  switch (panel.form) {
    case 'graph': {
      const { form, draw, stacked, minStep } = panel;
      return { ...valued(panel, base), form, draw, stacked, minStep };
    }
    case 'stat':
    case 'bars':
      return { ...valued(panel, base), form: panel.form };
    case 'histogram':
      return { ...base, form: panel.form };
    case 'table':
      return tableModel(panel, base);
  }
}

function refTo(uid: DashboardUid | undefined, refs: readonly DashboardRef[]): DashboardRef | undefined {
  const ref = refs.find((one) => one.uid === uid);
  if (uid !== undefined && ref === undefined) throw new Error(`unknown dashboard ${uid}`);
  return ref;
}

function valued(panel: Graph | Stat | Bars, base: BaseModel): ValuedModel {
  const { thresholds, min, max, tones = {}, title } = panel;
  return { ...base, thresholds: checked(thresholds, unitOf(panel), title), min, max, tones };
}

function tableModel({ form, labels, sortBy, leadsToValue = {}, queries }: Table, base: BaseModel): TableModel {
  const columns = base.queries.map((query, index): ColumnModel => {
    const { thresholds } = queries[index] as Column;
    return { ...query, thresholds: checked(thresholds, query.unit, base.title) };
  });
  return { ...base, form, labels, sortBy, leadsToValue, queries: columns };
}

function checked(threshold: Threshold | undefined, unit: string, title: string): Threshold | undefined {
  if (threshold !== undefined && threshold.unit !== unit)
    throw new TypeError(`${title}: the threshold is in ${threshold.unit}, the value in ${unit}`);
  return threshold;
}

interface QueryPlace {
  readonly index: number;
  readonly form: Panel['form'];
  readonly scope: Scope;
}

function queryModel({ expression, legend }: Query, { index, form, scope }: QueryPlace): QueryModel {
  const { node, unit } = expression;
  const instant = form !== 'graph';
  const selectors = selectorsOf(node);
  const traced = instant ? undefined : selectors.find(hasExemplars);
  const counted = selectors.filter(({ metric }) => metric.kind !== 'gauge');
  const observedUnits = new Set(counted.map(({ metric }) => metric.unit));
  const [observedUnit] = observedUnits;
  const isObserved = (traced !== undefined || form === 'histogram') && observedUnits.size === 1;
  return {
    refId: String.fromCodePoint('A'.charCodeAt(0) + index),
    expression: render(expression, scope),
    legend,
    unit,
    instant,
    exemplars: traced && render({ node: exemplarsOf(traced, node) }, scope),
    observedUnit: isObserved ? observedUnit : undefined,
  };
}

/** Counters and histograms of a process that has spans. The sidecar's own scrape page is not OpenMetrics. */
function hasExemplars({ metric: { kind, source } }: Selector): boolean {
  return kind !== 'gauge' && (source === 'sdk' || source === 'runtime');
}

/** Prometheus keeps the exemplars of a histogram with its buckets, which a mean or a count does not read. */
function exemplarsOf({ type, name, metric, matchers }: Selector, shown: Node): Node {
  if (metric.kind !== 'histogram') return shown;
  const others = matchers.filter(({ label }) => label !== 'le');
  const buckets: Selector = { type, name, metric, series: `${name}_bucket`, matchers: others, window: STEP };
  const rate: Node = { type: 'call', name: 'rate', arguments: [buckets] };
  const sum: Node = { type: 'aggregation', operator: 'sum', by: [], of: rate };
  // No series: the result is empty, but Prometheus finds the exemplars of its selectors.
  return { type: 'binary', operator: '<', left: sum, right: { type: 'number', value: 0 } };
}
