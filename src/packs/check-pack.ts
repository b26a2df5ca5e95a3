/** The checks that a pack must pass, beyond those of the compiler. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import * as v from 'valibot';
import { createQueries, emittedMetrics } from '../components/receivers/db-poller/packs/create-queries.ts';
import type { Dashboard } from '../dashboards/model/panel.ts';
import { dashboardModels, type PanelModel } from '../dashboards/model/dashboard-model.ts';
import { checkExpression, type CheckedExpression, type Known } from '../dashboards/promql/check-expression.ts';
import { selectorsOf } from '../dashboards/promql/node.ts';
import type { MetricsByName } from '../dashboards/promql/promql.ts';
import { render } from '../dashboards/promql/render.ts';
import type { Vector } from '../dashboards/promql/vector.ts';
import type { Alert } from '../dashboards/rules/alert.ts';
import { recordingsIn } from '../dashboards/rules/rule-files.ts';
import { unreachable } from '../dashboards/rules/settings.ts';
import type { Threshold } from '../dashboards/threshold.ts';
import { checkMetric } from './check-metric.ts';
import { loadPacks } from './load.ts';
import type { Pack, Runbooks } from './pack.ts';

/** Packs and metrics that a pack may refer to. */
export interface BuiltOn {
  readonly packs: readonly Pack[];
  /** Metrics that no pack describes. */
  readonly metrics: MetricsByName;
}

interface Checked {
  readonly pack: Pack;
  readonly known: Known;
  readonly dashboards: readonly Dashboard[];
  readonly alerts: readonly Alert[];
  /** The dashboards and alerts of the packs that it is built on. */
  readonly otherDashboards: readonly Dashboard[];
  readonly otherAlerts: readonly Alert[];
}

/** Returns one sentence for each problem. */
export async function checkPack(pack: Pack, builtOn: BuiltOn): Promise<readonly string[]> {
  const [own, others] = await Promise.all([loadPacks([pack]), loadPacks(builtOn.packs)]);
  const metrics = Object.assign({}, builtOn.metrics, ...builtOn.packs.map((one) => one.metrics), pack.metrics);
  const recorded = new Map(
    recordingsIn([...own.alerts, ...others.alerts]).map(({ name, expression }) => [
      name,
      checkExpression(render(expression), { metrics }),
    ]),
  );
  const checked: Checked = {
    pack,
    known: { metrics, recorded },
    ...own,
    otherDashboards: others.dashboards,
    otherAlerts: others.alerts,
  };
  return [
    ...Object.entries(pack.metrics).flatMap(([name, metric]) => checkMetric(name, metric)),
    ...own.dashboards.flatMap((dashboard) => checkDashboard(dashboard, checked)),
    ...own.alerts.flatMap((alert) => checkAlert(alert, checked)),
    ...checkUse(checked),
    ...checkRunbooks(pack.runbooks, own.alerts),
    ...(await checkQueries(pack)),
  ];
}

function checkDashboard(dashboard: Dashboard, { known, dashboards, otherDashboards }: Checked): string[] {
  const others = [...dashboards, ...otherDashboards].filter((other) => other !== dashboard);
  if (others.some(({ uid }) => uid === dashboard.uid)) return [`${dashboard.title}: the uid ${dashboard.uid} is taken`];
  try {
    const [drawn] = dashboardModels([dashboard, ...others]);
    const panels = drawn?.rows.flatMap((row) => row.panels) ?? [];
    const variables = new Set(dashboard.variables.map(({ name }) => name));
    return panels.flatMap((panel, index) => {
      const where = `${dashboard.title}: ${panel.title}`;
      const isTwin = panels.findIndex(({ title }) => title === panel.title) !== index;
      return [
        ...(isTwin ? [`${where}: another panel has this title`] : []),
        ...(panel.description === '' ? [`${where}: the description is missing`] : []),
        ...(panel.queries.length === 0 ? [`${where}: the query is missing`] : []),
        ...checkClock(panel).map((one) => `${where}: ${one}`),
        ...(hasEnd(panel) ? [] : [`${where}: bars with a threshold need a max`]),
        ...panel.queries.flatMap((query) => checkQuery(query, { known, variables }).map((one) => `${where}: ${one}`)),
      ];
    });
  } catch (error) {
    return [`${dashboard.title}: ${(error as Error).message}`];
  }
}

/** A panel shows the time range of the page, or its title names the other one. */
function checkClock({ form, title, queries }: PanelModel): string[] {
  const own = form === 'graph' ? ['$__interval', '$__rate_interval'] : ['$__range'];
  const windows = queries.flatMap(({ expression }) =>
    [...expression.matchAll(/\[([^\]]+)\](?! offset)/g)].map(([, window = '']) => window),
  );
  const others = [...new Set(windows)].filter((window) => !own.includes(window));
  return others
    .filter((window) => window.startsWith('$') || !title.split(/[^\w]/).includes(window))
    .map((window) => `looks back ${window}, which the title does not name`);
}

/** Without one, the largest bar is full, whatever its colour. */
function hasEnd(panel: PanelModel): boolean {
  return panel.form !== 'bars' || panel.thresholds === undefined || panel.max !== undefined;
}

function checkQuery(
  { expression, legend }: { readonly expression: string; readonly legend: string },
  { known, variables }: { readonly known: Known; readonly variables: ReadonlySet<string> },
): string[] {
  const { problems, labels = new Set() } = checkExpression(expression, known);
  const named = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
  const used = [...expression.matchAll(/\$(\w+)/g)]
    .map(([, name = '']) => name)
    .filter((name) => !name.startsWith('__'));
  return [
    ...problems,
    ...named.filter((label) => !labels.has(label)).map((label) => `the legend uses the unknown label ${label}`),
    ...used.filter((name) => !variables.has(name)).map((name) => `the dashboard has no variable ${name}`),
  ];
}

function checkAlert(alert: Alert, { known, dashboards, otherDashboards, alerts, otherAlerts }: Checked): string[] {
  const { name, measured, guard, raisedBy } = alert;
  const isTaken = [...alerts, ...otherAlerts].some((other) => other !== alert && other.name === name);
  const expressions = [measured, ...(guard === undefined ? [] : [guard])];
  const problems = [
    ...(/^[A-Z][A-Za-z]+$/.test(name) ? [] : ['the name is not in CamelCase']),
    ...(isTaken ? ['another alert has this name'] : []),
    ...expressions.flatMap((expression) => check(expression, known).problems),
    ...('threshold' in raisedBy ? checkThreshold(alert, raisedBy.threshold) : []),
    ...checkPanel(alert, [...dashboards, ...otherDashboards]),
  ];
  return problems.map((problem) => `${name}: ${problem}`);
}

function check(expression: Vector, known: Known): CheckedExpression {
  return checkExpression(render(expression), known);
}

function checkThreshold(alert: Alert, threshold: Threshold): string[] {
  const { unit } = alert.measured;
  if (unit !== threshold.unit) return [`the threshold is in ${threshold.unit}, the value in ${unit}`];
  return unreachable(alert, threshold).map((severity) => `the value never reaches the limit of ${severity}`);
}

function checkPanel({ measured, panel }: Alert, dashboards: readonly Dashboard[]): string[] {
  if (panel === undefined) return [];
  const dashboard = dashboards.find(({ uid }) => uid === panel.dashboard);
  const shown = dashboard?.rows.flatMap(({ panels }) => panels).find(({ title }) => title === panel.title);
  if (shown === undefined) return [`the dashboard ${panel.dashboard} has no panel ${panel.title}`];
  const onPanel = new Set(shown.queries.flatMap(({ expression }) => namesIn(expression)));
  return namesIn(measured).some((name) => onPanel.has(name)) ? [] : [`${panel.title} shows none of its metrics`];
}

/** Every metric is on a panel or marked as detail, and every threshold belongs to a panel or an alert. */
function checkUse({ pack, dashboards, otherDashboards, alerts, otherAlerts }: Checked): string[] {
  const { metrics, detailMetrics = {}, thresholds = {} } = pack;
  const panels = [...dashboards, ...otherDashboards].flatMap(({ rows }) => rows).flatMap((row) => row.panels);
  const shown = new Set(panels.flatMap(({ queries }) => queries).flatMap(({ expression }) => namesIn(expression)));
  const used = new Set<unknown>([
    ...panels.flatMap((panel) => ('thresholds' in panel ? [panel.thresholds] : [])),
    ...panels.flatMap((panel) => (panel.form === 'table' ? panel.queries.map(({ thresholds: own }) => own) : [])),
    ...[...alerts, ...otherAlerts].flatMap(({ raisedBy }) => ('threshold' in raisedBy ? [raisedBy.threshold] : [])),
  ]);
  const unused = Object.entries(thresholds).filter(([, threshold]) => !used.has(threshold));
  return [
    ...Object.keys(metrics).flatMap((name) => {
      const isDetail = Object.hasOwn(detailMetrics, name);
      if (shown.has(name) === isDetail)
        return isDetail
          ? [`${name}: is on a panel, but marked as detail`]
          : [`${name}: is on no panel and not marked as detail`];
      return [];
    }),
    ...unused.map(([name]) => `${name}: no panel and no alert uses this threshold`),
  ];
}

function checkRunbooks(runbooks: Runbooks | undefined, alerts: readonly Alert[]): string[] {
  if (runbooks === undefined) return [];
  const { folder } = runbooks;
  if (!existsSync(folder)) return [`the folder of the runbooks does not exist: ${folder.href}`];
  const files = readdirSync(folder).filter((file) => file.endsWith('.md'));
  const missing = alerts.filter(({ name }) => !files.includes(`${name}.md`));
  const others = files.filter((file) => !alerts.some(({ name }) => `${name}.md` === file));
  const untitled = files.filter(
    (file) => !readFileSync(new URL(file, folder), 'utf8').startsWith(`# ${file.slice(0, -3)}\n`),
  );
  return [
    ...missing.map(({ name }) => `${name}: the runbook ${name}.md is missing`),
    ...others.map((file) => `${file}: no alert has this runbook`),
    ...untitled.map((file) => `${file}: the title is not the name of the alert`),
  ];
}

/** Creates the queries with the default settings; a pack that requires a setting is checked where it is configured. */
async function checkQueries({ name, metrics, database }: Pack): Promise<string[]> {
  const settings = v.safeParse(database?.settings ?? v.strictObject({}), {});
  if (database === undefined || !settings.success) return [];
  try {
    const queries = await createQueries({ name, metrics, database }, settings.output);
    const emitted = new Set(emittedMetrics(queries).map(({ metric }) => metric.name));
    return Object.entries(metrics)
      .filter(([, metric]) => metric.source === 'poller' && !emitted.has(metric.name))
      .map(([one]) => `${one}: no query emits this metric`);
  } catch (error) {
    return [(error as Error).message];
  }
}

function namesIn({ node }: Vector): string[] {
  return selectorsOf(node).map(({ name }) => name);
}
