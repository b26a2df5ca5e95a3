import type { Metric, MetricSource } from '../../metrics/metric.ts';
import type { Matcher, Node, Selector } from './node.ts';
import type { Vector } from './vector.ts';

/** Which variables choose among the series of a dashboard: by label, for all metrics that have it or for those of a source. */
export interface Scope {
  readonly labels: Readonly<Record<string, string>>;
  readonly sources: Readonly<Partial<Record<MetricSource, Readonly<Record<string, string>>>>>;
}

/** All that Prometheus has; for rules. */
export const everything: Scope = { labels: {}, sources: {} };

/** The expression as PromQL; in the scope of a dashboard every selector carries the matchers of its variables. */
export function render({ node }: Pick<Vector, 'node'>, scope: Scope = everything): string {
  return text(node, scope);
}

function text(node: Node, scope: Scope): string {
  switch (node.type) {
    case 'selector':
      return selectorText(node, scope);
    case 'number':
      return String(node.value);
    case 'recorded':
      return node.name + pastText(node.range);
    case 'call':
      return `${node.name}(${node.arguments.map((argument) => text(argument, scope)).join(', ')})`;
    case 'aggregation': {
      const by = node.by.length === 0 ? '' : ` by (${node.by.join(', ')}) `;
      return `${node.operator}${by}(${text(node.of, scope)})`;
    }
    case 'binary': {
      const on = node.on === undefined ? '' : ` on (${node.on.join(', ')})`;
      const group = node.groupLeft === true ? ' group_left ()' : '';
      return `${operand(node.left, scope)} ${node.operator}${on}${group} ${operand(node.right, scope)}`;
    }
  }
}

function operand(node: Node, scope: Scope): string {
  return node.type === 'binary' ? `(${text(node, scope)})` : text(node, scope);
}

function selectorText(selector: Selector, scope: Scope): string {
  const { metric, series, matchers } = selector;
  const all = [...matchers, ...scopeMatchers(metric, matchers, scope)];
  const braces =
    all.length === 0
      ? ''
      : `{${all.map(({ label, operator, value }) => `${label}${operator}${JSON.stringify(value)}`).join(', ')}}`;
  return series + braces + rangeText(selector);
}

function rangeText({ window, offset }: Pick<Selector, 'window' | 'offset'>): string {
  return (window === undefined ? '' : `[${window}]`) + (offset === undefined ? '' : ` offset ${offset}`);
}

/** A subquery: of a week, a result each hour is enough. */
function pastText(range: (Node & { readonly type: 'recorded' })['range']): string {
  return range === undefined ? '' : `[${range.window}:${range.resolution}] offset ${range.offset}`;
}

function scopeMatchers(
  { labels: metricLabels, source }: Metric,
  matchers: readonly Matcher[],
  { labels, sources }: Scope,
): Matcher[] {
  const byLabel = Object.keys(metricLabels).flatMap((label) => {
    const variable = labels[label];
    return variable === undefined ? [] : [[label, variable] as const];
  });
  const bySource = Object.entries(sources[source] ?? {});
  return [...byLabel, ...bySource]
    .filter(([label]) => !matchers.some((matcher) => matcher.label === label))
    .map(([label, variable]) => ({ label, operator: '=~', value: `$${variable}` }));
}
