/** Selects series of a metric. `promql.ts` restricts names, labels and values to those that exist. */
import type { Metric } from '../../metrics/metric.ts';
import type { BinaryOperator, Matcher, Node, Selector, Window } from './node.ts';
import type { Series } from './vector.ts';

export interface Source {
  /** In Prometheus. */
  readonly name: string;
  readonly metric: Metric;
}

export type AnyWhere = Readonly<Record<string, AnyValues>>;

type AnyValues =
  | string
  | readonly string[]
  | { readonly not: string | readonly string[] }
  | { readonly startsWith: string };

export function scraped(source: Source, where?: AnyWhere): Series {
  return series(source, selector(source, where), source.metric.unit);
}

export function overWindow(name: string, source: Source, window: Window, where?: AnyWhere): Series {
  return series(source, call(name, selector(source, where, { window })), source.metric.unit);
}

export function rateOf(source: Source, window: Window, where?: AnyWhere): Series {
  const isHistogram = source.metric.kind === 'histogram';
  const counts = selector(source, where, { window, ...(isHistogram && { part: `${source.name}_count` }) });
  return series(source, call('rate', counts), perSecond(isHistogram ? '{observation}' : source.metric.unit));
}

export function series({ metric }: Source, node: Node, unit: string): Series {
  return { form: 'series', node, unit, labels: [...Object.keys(metric.labels), 'job', 'instance'] };
}

export interface Part {
  /** The series of a histogram. */
  readonly part?: string;
  readonly window?: Window;
  readonly matchers?: readonly Matcher[];
}

export function selector(
  { name, metric }: Source,
  where: AnyWhere = {},
  { part = name, window, matchers = [] }: Part = {},
): Selector {
  return {
    type: 'selector',
    name,
    metric,
    series: part,
    matchers: [...Object.entries(where).map(([label, values]) => matcher(label, values)), ...matchers],
    ...(window !== undefined && { window }),
  };
}

function matcher(label: string, values: AnyValues): Matcher {
  if (typeof values === 'object' && 'not' in values) {
    const { operator, value } = matcher(label, values.not);
    return { label, operator: operator === '=' ? '!=' : '!~', value };
  }
  if (typeof values === 'object' && 'startsWith' in values) {
    return { label, operator: '=~', value: `${escapeRegExp(values.startsWith)}.*` };
  }
  if (typeof values === 'string') return { label, operator: '=', value: values };
  return { label, operator: '=~', value: values.map(escapeRegExp).join('|') };
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

export function binary(operator: BinaryOperator, left: Node, right: Node): Node {
  return { type: 'binary', operator, left, right };
}

export function call(name: string, ...args: readonly Node[]): Node {
  return { type: 'call', name, arguments: args };
}

export function perSecond(unit: string): string {
  return unit === 's' ? '1' : `${unit}/s`;
}
