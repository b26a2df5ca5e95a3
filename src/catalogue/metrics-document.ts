/** The catalogue as a page to read. */
import { catalogue } from './catalogue.ts';
import type { BudgetedLabel, ClosedLabel, Metric, MetricSource } from './metric.ts';

const SOURCES: Readonly<Record<MetricSource, string>> = {
  sdk: 'From the service (`siphon-otel/pipeline`)',
  poller: 'From the database (`db_poller`)',
};

export function metricsDocument(): string {
  const sections = Object.entries(SOURCES).map(([source, title]) => `## ${title}\n\n${section(source)}`);
  return ['# Metrics', 'Generated from `src/catalogue` by `npm run generate`.', ...sections].join('\n\n');
}

function section(source: string): string {
  const metrics: [string, Metric][] = Object.entries(catalogue);
  return metrics
    .filter(([, metric]) => metric.source === source)
    .map(([name, metric]) => entry(name, metric))
    .join('\n');
}

function entry(name: string, metric: Metric): string {
  const lines = [
    `### \`${name}\``,
    '',
    `${metric.description}.`,
    '',
    `- OpenTelemetry: \`${metric.name}\`, ${metric.kind}, unit \`${metric.unit}\``,
    ...Object.entries(metric.labels).map(([key, label]) => `- Label \`${key}\`: ${values(label)}`),
    ...(metric.kind === 'histogram' ? [`- Buckets: ${metric.buckets.join(', ')}`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function values(label: ClosedLabel | BudgetedLabel): string {
  if ('maxValues' in label) return `${label.description} (at most ${label.maxValues} values, then \`other\`)`;
  return label.map((value) => `\`${value}\``).join(', ');
}
