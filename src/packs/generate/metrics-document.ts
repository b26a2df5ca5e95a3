/** The catalogue as a page to read. */
import { knownMetrics, type KnownMetricName } from '../known-metrics.ts';
import type { BudgetedLabel, ClosedLabel, Metric, MetricSource } from '../../metrics/metric.ts';
import { costClasses, queryCosts } from '../query-costs.ts';
import { cardinalitySection } from './cardinality.ts';
import { exampleQuery } from './example-query.ts';
import { detailMetrics } from './detail-metrics.ts';
import { alertsOn, usesOf } from './uses.ts';

const SOURCES: Readonly<Record<MetricSource, string>> = {
  sdk: 'From the service (`siphon-otel/pipeline`)',
  poller: 'From the database (`db_poller`)',
  runtime: 'From the instrumentations of the preload',
  sidecar: 'From the sidecar about itself (port 8888)',
  prometheus: 'From Prometheus about its scrapes',
};

const INTRODUCTION = [
  'Generated from the packs in `src/packs` by `npm run generate`.',
  'The sections about the service, the database and the sidecar are complete. Of the metrics from instrumentations and from Prometheus, this page lists those that dashboards and alerts use.',
].join('\n');

export function metricsDocument(): string {
  const sections = Object.entries(SOURCES).map(([source, title]) => `## ${title}\n\n${section(source)}`);
  return ['# Metrics', INTRODUCTION, ...sections, cardinalitySection()].join('\n\n');
}

function section(source: string): string {
  return (Object.entries(knownMetrics) as [KnownMetricName, Metric][])
    .filter(([, metric]) => metric.source === source)
    .map(([name, metric]) => entry(name, metric))
    .join('\n');
}

function entry(name: KnownMetricName, metric: Metric): string {
  const lines = [
    `### \`${name}\``,
    '',
    `${metric.description}.`,
    '',
    `- OpenTelemetry: \`${metric.name}\`, ${metric.kind}, unit \`${metric.unit}\``,
    ...Object.entries(metric.labels).map(([key, label]) => `- Label \`${key}\`: ${values(label, metric.source)}`),
    ...(metric.kind === 'histogram' ? [`- Buckets: ${metric.buckets.join(', ')}`] : []),
    ...cost(name),
    ...shown(name),
    `- Query: \`${exampleQuery(name)}\``,
  ];
  return `${lines.join('\n')}\n`;
}

function values(label: ClosedLabel | BudgetedLabel, source: MetricSource): string {
  if (!('maxValues' in label)) return label.map((value) => `\`${value}\``).join(', ');
  if (label.fromConfiguration === true || source === 'runtime') return label.description;
  return `${label.description} (at most ${label.maxValues} values, then \`other\`)`;
}

function cost(name: KnownMetricName): string[] {
  const costClass = (queryCosts as Readonly<Partial<Record<string, keyof typeof costClasses>>>)[name];
  return costClass === undefined || knownMetrics[name].source !== 'poller' ? [] : [`- Cost: ${costClasses[costClass]}`];
}

function shown(name: KnownMetricName): string[] {
  const uses = usesOf(name).map(({ dashboard, panel }) => `${dashboard}: ${panel}`);
  const alerts = alertsOn(name).map((alert) => `[${alert}](runbooks/${alert}.md)`);
  const detail = detailMetrics[name];
  return [
    ...(uses.length > 0 ? [`- On panels: ${uses.join('; ')}`] : []),
    ...(alerts.length > 0 ? [`- In alerts: ${alerts.join(', ')}`] : []),
    ...(detail === undefined ? [] : [`- On no panel: ${detail}`]),
  ];
}
