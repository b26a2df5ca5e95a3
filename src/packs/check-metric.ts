import type { BudgetedLabel, ClosedLabel, Metric } from '../metrics/metric.ts';

/** Labels that Prometheus or the exporter sets. */
const RESERVED: ReadonlySet<string> = new Set(['le', 'quantile', 'job', 'instance']);

/**
 * More series of one metric are a burden for any Prometheus. The labels of instrumentations depend on each other: a route has
 * few methods and few statuses.
 */
const MOST_LABEL_SETS = 50_000;

export function checkMetric(name: string, metric: Metric): string[] {
  const labels = Object.entries<ClosedLabel | BudgetedLabel>(metric.labels);
  const sets = labels.reduce((product, [, label]) => product * sizeOf(label), 1);
  const problems = [
    ...(metric.description === '' ? ['the description is missing'] : []),
    ...labels.flatMap(([label, values]) => checkLabel(label, values)),
    ...(sets > MOST_LABEL_SETS && metric.source !== 'runtime'
      ? [`its labels allow ${sets} series; ${MOST_LABEL_SETS} is the limit`]
      : []),
    ...(metric.kind === 'histogram' && !isAscending(metric.buckets) ? ['the buckets are not in ascending order'] : []),
  ];
  return problems.map((problem) => `${name}: ${problem}`);
}

function checkLabel(label: string, values: ClosedLabel | BudgetedLabel): string[] {
  const isDistinct = 'maxValues' in values || new Set(values).size === values.length;
  return [
    ...(/^[a-z][a-z0-9_]*$/.test(label) ? [] : [`the label ${label} is not in snake case`]),
    ...(RESERVED.has(label) ? [`the label ${label} is reserved`] : []),
    ...(sizeOf(values) > 0 ? [] : [`the label ${label} has no values`]),
    ...(isDistinct ? [] : [`the label ${label} has a value twice`]),
  ];
}

function sizeOf(label: ClosedLabel | BudgetedLabel): number {
  return 'maxValues' in label ? label.maxValues : label.length;
}

function isAscending(values: readonly number[]): boolean {
  return values.every((value, index) => index === 0 || value > (values[index - 1] ?? -Infinity));
}
