/**
 * Dashboards as plain data: every expression is text, every panel has its place. It is what renderers draw from, and what
 * is written to `dashboards/model` for pages that draw by themselves.
 */
import type { MetricSource } from '../../metrics/metric.ts';
import { knownMetrics } from '../../packs/known-metrics.ts';
import { thresholds as thresholdsByName, type ThresholdName } from '../../packs/all-thresholds.ts';
import type { Threshold } from '../threshold.ts';
import { selectorsOf } from '../promql/node.ts';
import { promql, type Scope } from '../promql/render.ts';
import { dashboardUids, type Dashboard, type DashboardUid } from './dashboard.ts';
import { layOut, type Place } from './layout.ts';
import type { Empty, Panel, Query, Tone } from './panel.ts';
import { unitOf } from './unit.ts';
import { scopeOf, type ChoiceVariable, type DatasourceVariable, type Variable } from './variables.ts';

export interface PlainDashboard {
  readonly uid: DashboardUid;
  readonly title: string;
  readonly description: string;
  readonly from: string;
  readonly refresh: string;
  readonly variables: readonly PlainVariable[];
  /** The other dashboards; a link keeps the time and the variables. */
  readonly links: readonly DashboardUid[];
  readonly rows: readonly PlainRow[];
}

export type PlainVariable = DatasourceVariable | ChoiceVariable | PlainValuesVariable;

export interface PlainValuesVariable {
  readonly kind: 'values';
  readonly name: string;
  readonly label: string;
  readonly description: string;
  /** The series whose label `of` has the values. */
  readonly series: string;
  readonly of: string;
}

export interface PlainRow {
  readonly id: number;
  readonly title: string;
  /** A variable: the row is there once for each of its chosen values. */
  readonly repeatFor?: string;
  readonly height: number;
  readonly panels: readonly PlainPanel[];
}

export interface PlainPanel {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  readonly form: Panel['form'];
  readonly place: Place;
  readonly empty: Empty;
  readonly leadsTo?: DashboardUid;
  readonly queries: readonly PlainQuery[];
  readonly thresholds?: PlainThresholds;
  readonly min?: number;
  readonly max?: number;
  readonly tones?: Readonly<Record<string, Tone>>;
  readonly draw?: 'lines' | 'bars';
  readonly stacked?: boolean;
  readonly minStep?: string;
  /** Of a table: the labels that name its lines. */
  readonly labels?: readonly string[];
  readonly sortBy?: string;
}

export interface PlainQuery {
  /** `A`, `B`, …, as Grafana calls them. */
  readonly refId: string;
  readonly expression: string;
  readonly legend: string;
  /** UCUM. */
  readonly unit: string;
  /** Whether it is asked for one moment or for a range. */
  readonly instant: boolean;
  /** Whether its series have exemplars. */
  readonly exemplars: boolean;
  /** UCUM: of the bounds of a distribution, and of the exemplars, which are not what the query makes of them. */
  readonly observedUnit?: string;
  /** Of a column of a table. */
  readonly thresholds?: PlainThresholds;
}

export type PlainThresholds = Pick<Threshold, 'bad' | 'warning' | 'critical'>;

export function plain(dashboard: Dashboard): PlainDashboard {
  const { uid, title, description, from, refresh, variables } = dashboard;
  const scope = scopeOf(variables);
  return {
    uid,
    title,
    description,
    from,
    refresh,
    variables: variables.map(plainVariable),
    links: dashboardUids.filter((other) => other !== uid),
    rows: layOut(dashboard).map(({ repeatFor, panels, ...row }) => ({
      ...row,
      ...(repeatFor !== undefined && { repeatFor }),
      panels: panels.map(({ id, panel, place }) => plainPanel(panel, { id, place, scope })),
    })),
  };
}

function plainVariable(variable: Variable): PlainVariable {
  if (variable.kind !== 'values') return variable;
  const { kind, name, label, description, metric, of, within = {} } = variable;
  const matchers = Object.entries(within).map(([key, other]) => `${key}=~"$${other}"`);
  const series = matchers.length === 0 ? metric : `${metric}{${matchers.join(', ')}}`;
  return { kind, name, label, description, series, of };
}

function plainPanel(panel: Panel, { id, place, scope }: { id: number; place: Place; scope: Scope }): PlainPanel {
  const { title, description, form, empty, leadsTo } = panel;
  const queries = panel.queries.map((query, index) => plainQuery(query, { index, form, scope, title }));
  const base = { id, title, description, form, place, empty, ...(leadsTo !== undefined && { leadsTo }), queries };
  if (panel.form === 'distribution') return base;
  if (panel.form === 'table') return { ...base, labels: panel.labels, sortBy: panel.sortBy };
  const { thresholds, min, max, tones } = panel;
  const valued = {
    ...base,
    ...(thresholds !== undefined && { thresholds: plainThresholds(thresholds, unitOf(panel), title) }),
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
    ...(tones !== undefined && { tones }),
  };
  if (panel.form !== 'graph') return valued;
  const { draw, stacked, minStep } = panel;
  return { ...valued, draw, stacked, ...(minStep !== undefined && { minStep }) };
}

interface QueryPlace {
  readonly index: number;
  readonly form: Panel['form'];
  readonly scope: Scope;
  readonly title: string;
}

function plainQuery(
  { expression, legend, thresholds }: Query & { readonly thresholds?: ThresholdName },
  { index, form, scope, title }: QueryPlace,
): PlainQuery {
  const { unit } = expression;
  const instant = form !== 'graph';
  const metrics = selectorsOf(expression.node).map(({ metric }) => metric);
  const exemplars = !instant && metrics.some(hasExemplars);
  const observedUnits = new Set<string>(metrics.map((metric) => knownMetrics[metric].unit));
  const [observedUnit] = observedUnits;
  const isObserved = (exemplars || form === 'distribution') && observedUnits.size === 1;
  return {
    refId: String.fromCodePoint('A'.charCodeAt(0) + index),
    expression: promql(expression, scope),
    legend,
    unit,
    instant,
    exemplars,
    ...(isObserved && observedUnit !== undefined && { observedUnit }),
    ...(thresholds !== undefined && { thresholds: plainThresholds(thresholds, unit, title) }),
  };
}

/** Counters and histograms of what has spans; the sidecar's own page is no OpenMetrics. */
function hasExemplars(metric: keyof typeof knownMetrics): boolean {
  const traced: readonly MetricSource[] = ['sdk', 'runtime'];
  const { kind, source } = knownMetrics[metric];
  return kind !== 'gauge' && traced.includes(source);
}

function plainThresholds(name: ThresholdName, unit: string, title: string): PlainThresholds {
  const threshold: Threshold = thresholdsByName[name];
  if (threshold.unit !== unit) throw new TypeError(`${title}: ${name} is in ${threshold.unit}, not in ${unit}`);
  const { bad, warning, critical } = threshold;
  return { bad, ...(warning !== undefined && { warning }), ...(critical !== undefined && { critical }) };
}
