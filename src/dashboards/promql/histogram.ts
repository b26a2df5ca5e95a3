/** Reads histograms. */
import type { Matcher, Node, Window } from './node.ts';
import { fromBirth, increaseOf } from './events.ts';
import { binary, call, perSecond, selector, series, type AnyWhere, type Source } from './select.ts';
import type { Series, Vector } from './vector.ts';

export interface AnyHistogramQuery {
  readonly name: string;
  readonly window: Window;
  readonly where?: AnyWhere;
  readonly by?: readonly string[];
}

export function observedUpTo(source: Source, bound: number, window: Window, where?: AnyWhere): Series {
  const part = { part: `${source.name}_bucket`, window, matchers: [upTo(bound)] };
  return series(source, increaseOf(source, part, where), '{observation}');
}

/** The same, including the first value of a histogram of any source. */
export function occurredUpTo(source: Source, bound: number, window: Window, where?: AnyWhere): Series {
  const counts = selector(source, where, { part: `${source.name}_bucket`, matchers: [upTo(bound)] });
  return series(source, fromBirth({ ...counts, window }), '{observation}');
}

/** Exact, because `bound` is one of the histogram's. */
export function shareAbove(source: Source, bound: number, { window, where, by = [] }: AnyHistogramQuery): Vector {
  const { node: within } = observedUpTo(source, bound, window, where);
  const part = binary('/', sumBy(by, within), something(sumBy(by, counted(source, window, where))));
  return { form: 'vector', node: binary('-', number(1), part), unit: '1', labels: by };
}

export function histogramQuantile(q: number, source: Source, { window, where, by = [] }: AnyHistogramQuery): Vector {
  const { metric } = source;
  const buckets = increaseOf(source, { part: `${source.name}_bucket`, window }, where);
  const lowest = metric.kind === 'histogram' ? (metric.buckets[0] ?? 0) : 0;
  return quantileOf(q, { buckets, by, unit: metric.unit, lowest });
}

/** For alerts. Their limits are above the first bound. */
export function quantileOfOccurrences(
  q: number,
  source: Source,
  { window, where, by = [] }: AnyHistogramQuery,
): Vector {
  const buckets = fromBirth({ ...selector(source, where, { part: `${source.name}_bucket` }), window });
  return quantileOf(q, { buckets, by, unit: source.metric.unit, lowest: 0 });
}

export function summedBuckets(source: Source, { window, where }: AnyHistogramQuery): Vector {
  const buckets = increaseOf(source, { part: `${source.name}_bucket`, window }, where);
  return { form: 'vector', node: sumBy(['le'], buckets), unit: '{observation}', labels: ['le'] };
}

export function histogramMean(source: Source, { window, where, by = [] }: AnyHistogramQuery): Vector {
  const sums = sumBy(by, increaseOf(source, { part: `${source.name}_sum`, window }, where));
  const node = binary('/', sums, something(sumBy(by, counted(source, window, where))));
  return { form: 'vector', node, unit: source.metric.unit, labels: by };
}

export function histogramSumRate(source: Source, window: Window, where?: AnyWhere): Series {
  const sums = selector(source, where, { part: `${source.name}_sum`, window });
  return series(source, call('rate', sums), perSecond(source.metric.unit));
}

interface Buckets {
  readonly buckets: Node;
  readonly by: readonly string[];
  readonly unit: string;
  readonly lowest: number;
}

/** Without an observation the value is NaN, which is not >= 0. */
function quantileOf(q: number, { buckets, by, unit, lowest }: Buckets): Vector {
  const value = call('histogram_quantile', number(q), sumBy(['le', ...by], buckets));
  return { form: 'vector', node: binary('>=', value, number(lowest)), unit, labels: by };
}

function counted(source: Source, window: Window, where?: AnyWhere): Node {
  return increaseOf(source, { part: `${source.name}_count`, window }, where);
}

function something(of: Node): Node {
  return binary('>', of, number(0));
}

/** Exporters write whole bounds as 1 or as 1.0. */
function upTo(bound: number): Matcher {
  return Number.isInteger(bound)
    ? { label: 'le', operator: '=~', value: `${bound}(\\.0)?` }
    : { label: 'le', operator: '=', value: String(bound) };
}

function sumBy(by: readonly string[], of: Node): Node {
  return { type: 'aggregation', operator: 'sum', by, of };
}

function number(value: number): Node {
  return { type: 'number', value };
}
