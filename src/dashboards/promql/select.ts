/** Selects series of a metric. `promql.ts` restricts names, labels and values to those that exist. */
import type { Metric } from '../../metrics/metric.ts';
import type { BinaryOperator, Duration, Matcher, Node, Selector, Window } from './node.ts';
import type { Series, Vector } from './vector.ts';

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

export interface AnyHistogramQuery {
  readonly name: string;
  readonly window: Window;
  readonly where?: AnyWhere;
  readonly by?: readonly string[];
}

export function scraped(source: Source, where?: AnyWhere): Series {
  return series(source, selector(source, where), source.metric.unit);
}

export function overWindow(name: string, source: Source, window: Window, where?: AnyWhere): Series {
  return series(source, call(name, selector(source, where, { window })), source.metric.unit);
}

export function rateOf(source: Source, window: Window, where?: AnyWhere): Series {
  const perWindow = counted(source, (counts) => call('rate', counts), window, where);
  return { ...perWindow, unit: perSecond(perWindow.unit) };
}

export function increaseOf(source: Source, window: Window, where?: AnyWhere): Series {
  return counted(source, (counts) => call('increase', counts), window, where);
}

/** Counts the events of a counter, or the observations of a histogram. */
export function counted(source: Source, count: (counts: Selector) => Node, window: Window, where?: AnyWhere): Series {
  const { name, metric } = source;
  if (metric.kind !== 'histogram') return series(source, count(selector(source, where, { window })), metric.unit);
  return series(source, count(selector(source, where, { part: `${name}_count`, window })), '{observation}');
}

/** The value of a series that is new in the window, and the increase of the others. */
export function fromBirth(counts: Selector): Node {
  const before: Selector = { ...counts, offset: counts.window as Duration };
  const born = binary('unless', call('last_over_time', counts), call('last_over_time', before));
  return binary('or', born, call('increase', counts));
}

export function observedUpTo(source: Source, bound: number, window: Window, where?: AnyWhere): Series {
  // Exporters write whole bounds as 1 or as 1.0.
  const le: Matcher = Number.isInteger(bound)
    ? { label: 'le', operator: '=~', value: `${bound}(\\.0)?` }
    : { label: 'le', operator: '=', value: String(bound) };
  const buckets = selector(source, where, { part: `${source.name}_bucket`, window, matchers: [le] });
  return series(source, call('increase', buckets), '{observation}');
}

export function histogramQuantile(
  q: number,
  source: Source,
  { window, where, by = [] }: AnyHistogramQuery,
  counting: 'rate' | 'from birth',
): Vector {
  const buckets = selector(source, where, { part: `${source.name}_bucket`, window });
  const counts = counting === 'rate' ? call('rate', buckets) : fromBirth(buckets);
  const value = call('histogram_quantile', { type: 'number', value: q }, sumBy(['le', ...by], counts));
  // Without an observation the value is NaN, which is not >= 0.
  const node = binary('>=', value, { type: 'number', value: 0 });
  return { form: 'vector', node, unit: source.metric.unit, labels: by };
}

export function summedBuckets(source: Source, { window, where }: AnyHistogramQuery): Vector {
  const buckets = call('increase', selector(source, where, { part: `${source.name}_bucket`, window }));
  return { form: 'vector', node: sumBy(['le'], buckets), unit: '{observation}', labels: ['le'] };
}

export function histogramMean(
  source: Source,
  { window, where, by = [] }: AnyHistogramQuery,
  counting: 'rate' | 'from birth',
): Vector {
  const summed = (part: string): Node => {
    const counts = selector(source, where, { part, window });
    return sumBy(by, counting === 'rate' ? call('increase', counts) : fromBirth(counts));
  };
  const observed = binary('>', summed(`${source.name}_count`), { type: 'number', value: 0 });
  const node = binary('/', summed(`${source.name}_sum`), observed);
  return { form: 'vector', node, unit: source.metric.unit, labels: by };
}

export function histogramSumRate(source: Source, window: Window, where?: AnyWhere): Series {
  const sums = selector(source, where, { part: `${source.name}_sum`, window });
  return series(source, call('rate', sums), perSecond(source.metric.unit));
}

function series({ metric }: Source, node: Node, unit: string): Series {
  return { form: 'series', node, unit, labels: [...Object.keys(metric.labels), 'job', 'instance'] };
}

interface Part {
  /** The series of a histogram. */
  readonly part?: string;
  readonly window?: Window;
  readonly matchers?: readonly Matcher[];
}

function selector(
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

function sumBy(by: readonly string[], of: Node): Node {
  return { type: 'aggregation', operator: 'sum', by, of };
}

function binary(operator: BinaryOperator, left: Node, right: Node): Node {
  return { type: 'binary', operator, left, right };
}

function call(name: string, ...args: readonly Node[]): Node {
  return { type: 'call', name, arguments: args };
}

function perSecond(unit: string): string {
  return unit === 's' ? '1' : `${unit}/s`;
}
