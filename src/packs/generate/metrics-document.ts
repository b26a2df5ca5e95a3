/** `docs/metrics.md`: all metrics, with their labels, costs, panels and alerts. */
import type { BudgetedLabel, ClosedLabel, Metric, MetricSource } from '../../metrics/metric.ts';
import { packMetrics, packs, type MetricName } from '../index.ts';
import type { LoadedPacks } from '../load.ts';
import type { Pack, QueryCost } from '../pack.ts';
import { cardinalitySection } from './cardinality.ts';
import { exampleQuery } from './example-query.ts';
import { runbookPath } from './runbook-path.ts';
import { alertsOn, usesOf } from './uses.ts';

const SOURCES: Readonly<Record<MetricSource, string>> = {
  sdk: 'From the service (`siphon-otel/pipeline`)',
  poller: 'From the database (`db_poller`)',
  runtime: 'From the instrumentations of the preload',
  sidecar: 'From the sidecar about itself (port 8888)',
  prometheus: 'From Prometheus about its scrapes',
};

const COSTS: Readonly<Record<QueryCost, string>> = {
  incremental: 'reads only the rows that are new since the last poll, in bounded batches',
  lookup: 'finds the latest rows by an index',
  small_table: 'reads a table that is as large as the catalogue of goods',
  statistics: 'reads the server\u2019s statistics',
  sizes: 'asks the file system for sizes; on the slow lane',
};

const INTRODUCTION = [
  'Generated from the packs in `src/packs` by `npm run generate`.',
  'The sections about the service, the database and the sidecar are complete. Of the metrics from instrumentations and from Prometheus, this page lists those that dashboards and alerts use.',
].join('\n');

export function metricsDocument(loaded: LoadedPacks): string {
  const sections = Object.entries(SOURCES).map(([source, title]) => `## ${title}\n\n${section(source, loaded)}`);
  return ['# Metrics', INTRODUCTION, ...sections, cardinalitySection(loaded)].join('\n\n');
}

function section(source: string, loaded: LoadedPacks): string {
  return (Object.entries(packMetrics) as [MetricName, Metric][])
    .filter(([, metric]) => metric.source === source)
    .map(([name, metric]) => entry(name, metric, loaded))
    .join('\n');
}

function entry(name: MetricName, metric: Metric, loaded: LoadedPacks): string {
  const lines = [
    `### \`${name}\``,
    '',
    `${metric.description}.`,
    '',
    `- OpenTelemetry: \`${metric.name}\`, ${metric.kind}, unit \`${metric.unit}\``,
    ...Object.entries(metric.labels).map(([key, label]) => `- Label \`${key}\`: ${values(label, metric.source)}`),
    ...(metric.kind === 'histogram' ? [`- Buckets: ${metric.buckets.join(', ')}`] : []),
    ...costOf(name),
    ...shown(name, loaded),
    `- Query: \`${exampleQuery(name, loaded)}\``,
  ];
  return `${lines.join('\n')}\n`;
}

function values(label: ClosedLabel | BudgetedLabel, source: MetricSource): string {
  if (!('maxValues' in label)) return label.map((value) => `\`${value}\``).join(', ');
  if (label.fromConfiguration === true || source === 'runtime') return label.description;
  return `${label.description} (at most ${label.maxValues} values, then \`other\`)`;
}

function costOf(name: MetricName): string[] {
  const cost = (packs as readonly Pack[]).map(({ costs }) => costs?.[name]).find((one) => one !== undefined);
  return cost === undefined ? [] : [`- Cost: ${COSTS[cost]}`];
}

/** A longer list is not useful. */
const MANY_PANELS = 20;

function shown(name: MetricName, loaded: LoadedPacks): string[] {
  const uses = usesOf(name, loaded).map(({ dashboard, panel }) => `${dashboard}: ${panel}`);
  const alerts = alertsOn(name, loaded).map((alert) => `[${alert.name}](${runbookPath(alert, 'docs')})`);
  const details = (packs as readonly Pack[]).map(({ detailMetrics }) => detailMetrics?.[name]);
  return [
    ...(uses.length > MANY_PANELS ? [`- On ${uses.length} panels`] : []),
    ...(uses.length > 0 && uses.length <= MANY_PANELS ? [`- On panels: ${uses.join('; ')}`] : []),
    ...(alerts.length > 0 ? [`- In alerts: ${alerts.join(', ')}`] : []),
    ...details.filter((one) => one !== undefined).map((reason) => `- On no panel: ${reason}`),
  ];
}
