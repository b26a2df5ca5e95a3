/** How series are taken out of Prometheus: by names, labels and values of the catalogue, so that a wrong one does not compile. */
import { knownMetrics, type KnownMetricName } from '../../packs/known-metrics.ts';
import type { BinaryOperator, Duration, Matcher, Node, Selector, Window } from './node.ts';
import type { BoundOf, CounterName, GaugeName, HistogramName, LabelOf, Series, ValueOf, Vector } from './vector.ts';

/** Values that a label must not have. */
export interface Not<Value extends string> {
  readonly not: Value | readonly Value[];
}

/** What labels must be: a value, one of several, or none of them. */
export type Where<Name extends KnownMetricName> = {
  readonly [Label in LabelOf<Name>]?:
    | ValueOf<Name, Label>
    | readonly ValueOf<Name, Label>[]
    | Not<ValueOf<Name, Label>>;
};

/** The value of a gauge. */
export function latest<Name extends GaugeName>(name: Name, where: Where<Name> = {}): Series<LabelOf<Name>> {
  return taken(name, selector(name, where), unitOf(name));
}

/** A gauge over a window, as the largest, smallest or mean of its values. */
export function overTime<Name extends GaugeName>(
  which: 'max' | 'min' | 'avg',
  name: Name,
  window: Window,
  where: Where<Name> = {},
): Series<LabelOf<Name>> {
  return taken(name, call(`${which}_over_time`, { ...selector(name, where), window }), unitOf(name));
}

/** By how much a gauge has changed over a window. */
export function change<Name extends GaugeName>(
  name: Name,
  window: Window,
  where: Where<Name> = {},
): Series<LabelOf<Name>> {
  return taken(name, call('delta', { ...selector(name, where), window }), unitOf(name));
}

/** How often a second, over a window. */
export function rate<Name extends CounterName>(
  name: Name,
  window: Window,
  where: Where<Name> = {},
): Series<LabelOf<Name>> {
  return taken(name, call('rate', { ...selector(name, where), window }), perSecond(unitOf(name)));
}

/** How many within a window. */
export function increase<Name extends CounterName>(
  name: Name,
  window: Window,
  where: Where<Name> = {},
): Series<LabelOf<Name>> {
  return increases(window)(name, where);
}

/** How many events, of a counter or of those that a histogram has observed. */
export type Count = <Name extends CounterName | HistogramName>(
  name: Name,
  where?: Where<Name>,
) => Series<LabelOf<Name>>;

/** How many within a window, by how much the counter has grown in it. */
export function increases(window: Window): Count {
  return (name, where = {}) => taken(name, call('increase', countOf(name, where, window)), countUnitOf(name));
}

/**
 * How many within a window, with those that a counter had when it was seen first. A job that is over before its second
 * scrape has no increase; here it counts. What was away for longer than the window begins anew.
 */
export function occurrences(window: Duration): Count {
  return (name, where = {}) => taken(name, fromBirth(countOf(name, where, window)), countUnitOf(name));
}

/** How many observations of a histogram within a window. */
export function observations<Name extends HistogramName>(
  name: Name,
  window: Window,
  where: Where<Name> = {},
): Series<LabelOf<Name>> {
  return increases(window)(name, where);
}

/** How many observations within a window were at most `bound`, which is one of the histogram's. */
export function observationsUpTo<Name extends HistogramName>(
  name: Name,
  bound: BoundOf<Name>,
  window: Window,
  where: Where<Name> = {},
): Series<LabelOf<Name>> {
  // Exporters write whole bounds as 1 or as 1.0.
  const le: Matcher = Number.isInteger(bound)
    ? { label: 'le', operator: '=~', value: `${bound}(\\.0)?` }
    : { label: 'le', operator: '=', value: String(bound) };
  const buckets = selector(name, where, { series: `${name}_bucket`, window, matchers: [le] });
  return taken(name, call('increase', buckets), '{observation}');
}

/** The value that a share `q` of the observations does not exceed; without observations there is none, instead of NaN. */
export function quantile<Name extends HistogramName, Label extends LabelOf<Name> = never>(
  q: number,
  { name, window, where = {}, by = [] }: HistogramQuery<Name, Label>,
): Vector<Label> {
  const rates = call('rate', selector(name, where, { series: `${name}_bucket`, window }));
  return quantileOf(q, rates, { unit: unitOf(name), by });
}

/** As `quantile`, of all that `occurrences` counts. */
export function quantileOfOccurrences<Name extends HistogramName, Label extends LabelOf<Name> = never>(
  q: number,
  { name, window, where = {}, by = [] }: HistogramQuery<Name, Label> & { readonly window: Duration },
): Vector<Label> {
  const counts = fromBirth(selector(name, where, { series: `${name}_bucket`, window }));
  return quantileOf(q, counts, { unit: unitOf(name), by });
}

/** How many observations within a window were at most the bound `le`; drawn as a distribution. */
export function distribution<Name extends HistogramName>({
  name,
  window,
  where = {},
}: Omit<HistogramQuery<Name, never>, 'by'>): Vector<'le'> {
  const buckets = call('increase', selector(name, where, { series: `${name}_bucket`, window }));
  const node: Node = { type: 'aggregation', operator: 'sum', by: ['le'], of: buckets };
  return { form: 'vector', node, unit: '{observation}', labels: ['le'] };
}

/** The mean of what was observed within a window; without observations there is none. */
export function mean<Name extends HistogramName, Label extends LabelOf<Name> = never>({
  name,
  window,
  where = {},
  by = [],
}: HistogramQuery<Name, Label>): Vector<Label> {
  const [total, number] = (['_sum', '_count'] as const).map((part): Node => {
    const grown = call('increase', selector(name, where, { series: `${name}${part}`, window }));
    return { type: 'aggregation', operator: 'sum', by, of: grown };
  }) as [Node, Node];
  const something = binary('>', number, { type: 'number', value: 0 });
  return { form: 'vector', node: binary('/', total, something), unit: unitOf(name), labels: by };
}

/** The sum of what was observed a second, over a window. */
export function sumRate<Name extends HistogramName>(
  name: Name,
  window: Window,
  where: Where<Name> = {},
): Series<LabelOf<Name>> {
  const sums = selector(name, where, { series: `${name}_sum`, window });
  return taken(name, call('rate', sums), perSecond(unitOf(name)));
}

export interface HistogramQuery<Name extends HistogramName, Label extends LabelOf<Name>> {
  readonly name: Name;
  readonly window: Window;
  readonly where?: Where<Name>;
  readonly by?: readonly Label[];
}

function taken<Name extends KnownMetricName>(name: Name, node: Node, unit: string): Series<LabelOf<Name>> {
  const labels = [...Object.keys(knownMetrics[name].labels), 'job', 'instance'] as LabelOf<Name>[];
  return { form: 'series', node, unit, labels };
}

function selector<Name extends KnownMetricName>(
  metric: Name,
  where: Where<Name>,
  { series = metric, window, matchers = [] }: { series?: string; window?: Window; matchers?: readonly Matcher[] } = {},
): Selector {
  return {
    type: 'selector',
    series,
    metric,
    matchers: [...Object.entries(where).map(([label, values]) => matcher(label, values as AnyValues)), ...matchers],
    ...(window !== undefined && { window }),
  };
}

type AnyValues = string | readonly string[] | Not<string>;

function matcher(label: string, values: AnyValues): Matcher {
  if (typeof values === 'object' && 'not' in values) {
    const { operator, value } = matcher(label, values.not);
    return { label, operator: operator === '=' ? '!=' : '!~', value };
  }
  if (typeof values === 'string') return { label, operator: '=', value: values };
  return { label, operator: '=~', value: values.map(escapeRegExp).join('|') };
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

function countOf<Name extends CounterName | HistogramName>(name: Name, where: Where<Name>, window: Window): Selector {
  const series = knownMetrics[name].kind === 'histogram' ? `${name}_count` : name;
  return selector(name, where, { series, window });
}

function countUnitOf(name: CounterName | HistogramName): string {
  return knownMetrics[name].kind === 'histogram' ? '{observation}' : unitOf(name);
}

/** What a series that is new in the window has counted, and by how much the others have grown. */
function fromBirth(counts: Selector): Node {
  const before: Selector = { ...counts, offset: counts.window as Duration };
  const born = binary('unless', call('last_over_time', counts), call('last_over_time', before));
  return binary('or', born, call('increase', counts));
}

function quantileOf<Label extends string>(
  q: number,
  counts: Node,
  { unit, by }: { readonly unit: string; readonly by: readonly Label[] },
): Vector<Label> {
  const summed: Node = { type: 'aggregation', operator: 'sum', by: ['le', ...by], of: counts };
  const value = call('histogram_quantile', { type: 'number', value: q }, summed);
  // Without an observation it is no number.
  return { form: 'vector', node: binary('>=', value, { type: 'number', value: 0 }), unit, labels: by };
}

function binary(operator: BinaryOperator, left: Node, right: Node): Node {
  return { type: 'binary', operator, left, right };
}

function call(name: string, ...args: readonly Node[]): Node {
  return { type: 'call', name, arguments: args };
}

function unitOf(name: KnownMetricName): string {
  return knownMetrics[name].unit;
}

function perSecond(unit: string): string {
  return unit === 's' ? '1' : `${unit}/s`;
}
