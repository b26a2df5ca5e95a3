/**
 * Parses PromQL with Prometheus's grammar and checks it against the descriptions of metrics. It does not depend on how
 * expressions are written here.
 */
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import type { Metric } from '../../metrics/metric.ts';
import { sidecarMetrics } from '../../metrics/self.ts';
import { serviceMetrics } from '../../metrics/service.ts';
import type { MetricsByName } from './promql.ts';

export interface CheckedSelector {
  readonly series: string;
  /** The Prometheus name of the metric; undefined: unknown. */
  readonly metric: string | undefined;
  /** The keys are labels, the values start with the operator: `="ok"`. */
  readonly matchers: Readonly<Record<string, string>>;
}

export interface CheckedExpression {
  readonly problems: readonly string[];
  readonly selectors: readonly CheckedSelector[];
  /** True if the expression contains a comparison. */
  readonly hasComparison: boolean;
  /** UCUM; undefined for a plain number. */
  readonly unit: string | undefined;
  /** Labels that the result has; undefined: those of the series as they were scraped. */
  readonly labels: ReadonlySet<string> | undefined;
}

/** Replaces Grafana's macros with usual values, because macros are not PromQL. */
export function withoutMacros(expression: string): string {
  return expression
    .replaceAll('$__interval_ms', '60000')
    .replaceAll('$__range_ms', '2592000000')
    .replaceAll('$__rate_interval', '5m')
    .replaceAll('$__interval', '1m')
    .replaceAll('$__range', '30d');
}

export interface Known {
  readonly metrics: MetricsByName;
  /** The keys are the names of recording rules. */
  readonly recorded?: Recorded;
}

export function checkExpression(expression: string, known: Known): CheckedExpression {
  return new Checker(withoutMacros(expression), known).check();
}

export type Recorded = ReadonlyMap<string, CheckedExpression>;

interface Shape {
  readonly unit: string | undefined;
  readonly labels: ReadonlySet<string> | undefined;
}

const RATES = new Set(['rate', 'increase', 'irate', 'resets']);
/** Where the value of a counter is used, for new series and for differences. */
const GROWTH = 'growth';
const TOTALS = new Set(['last_over_time', 'count_over_time', GROWTH]);
const GAUGE_RANGES = new Set([
  'delta',
  'deriv',
  'max_over_time',
  'min_over_time',
  'avg_over_time',
  'quantile_over_time',
  'changes',
]);
const KEEPING_UNITS = new Set(['increase', 'round', 'clamp_min', ...TOTALS, ...GAUGE_RANGES]);
const COMPARISONS = new Set(['Gtr', 'Gte', 'Lss', 'Lte', 'EqlC', 'Neq']);
const SET_OPERATORS = new Set(['And', 'Unless']);
const NUMBER: Shape = { unit: undefined, labels: new Set() };

/** Counts of all services, and of all rows, read them. */
const { service_start_timestamp_seconds } = serviceMetrics;
const { siphon_db_poller_counting_since_timestamp_seconds } = sidecarMetrics;
const EVERYWHERE: MetricsByName = {
  service_start_timestamp_seconds,
  siphon_db_poller_counting_since_timestamp_seconds,
};

class Checker {
  readonly #text: string;
  readonly #metrics: MetricsByName;
  readonly #recorded: Recorded;
  #hasComparison = false;
  readonly #problems: string[] = [];
  readonly #selectors: CheckedSelector[] = [];

  constructor(text: string, { metrics, recorded = new Map() }: Known) {
    this.#text = text;
    this.#metrics = { ...EVERYWHERE, ...metrics };
    this.#recorded = recorded;
  }

  check(): CheckedExpression {
    const tree = parser.parse(this.#text);
    tree.iterate({
      enter: ({ type, from }) => {
        if (type.isError) this.#problems.push(`cannot be parsed from ${from}: ${this.#text.slice(from)}`);
      },
    });
    const root = tree.topNode.firstChild;
    if (this.#problems.length > 0 || root === null)
      return { ...NUMBER, problems: this.#problems.slice(0, 1), selectors: [], hasComparison: false };
    const shape = this.#shape(root, undefined);
    return { ...shape, problems: this.#problems, selectors: this.#selectors, hasComparison: this.#hasComparison };
  }

  #shape(node: SyntaxNode, around: string | undefined): Shape {
    switch (node.name) {
      case 'ParenExpr':
        return this.#shape(node.firstChild as SyntaxNode, around);
      case 'OffsetExpr':
      case 'SubqueryExpr':
        return this.#offset(node.firstChild as SyntaxNode, around);
      case 'NumberDurationLiteral':
        return NUMBER;
      case 'VectorSelector':
        return this.#selector(node, around);
      case 'MatrixSelector':
        return this.#selector(node.getChild('VectorSelector') as SyntaxNode, around);
      case 'FunctionCall':
        return this.#call(node);
      case 'AggregateExpr':
        return this.#aggregation(node);
      case 'BinaryExpr':
        return this.#binary(node, around);
      default:
        this.#problems.push(`${node.name} is not expected: ${this.#slice(node)}`);
        return NUMBER;
    }
  }

  /** A counter minus itself at an earlier time: the grammar takes the offset for that of the difference. */
  #offset(of: SyntaxNode, around: string | undefined): Shape {
    return this.#shape(of, of.name === 'BinaryExpr' ? GROWTH : around);
  }

  #selector(node: SyntaxNode, around: string | undefined): Shape {
    const series = this.#slice(node.getChild('Identifier') as SyntaxNode);
    const matchers = this.#matchers(node);
    const recording = this.#recorded.get(series);
    if (recording !== undefined) return recording;
    const found = findMetric(series, this.#metrics);
    this.#selectors.push({ series, metric: found?.name, matchers });
    if (found === undefined) {
      this.#problems.push(`${series} is not a known metric`);
      return NUMBER;
    }
    const { metric, part } = found;
    const labels = new Set([...Object.keys(metric.labels), 'job', 'instance', ...(part === '_bucket' ? ['le'] : [])]);
    this.#checkMatchers(series, metric, matchers, labels);
    this.#checkKind(series, metric, part, around);
    return { unit: part === '_bucket' || part === '_count' ? '{observation}' : metric.unit, labels };
  }

  #checkKind(series: string, metric: Metric, part: string, around = ''): void {
    if (metric.kind === 'histogram' && part === '')
      this.#problems.push(`${series} is a histogram and has no such series`);
    else if (metric.kind !== 'gauge' && !RATES.has(around) && !TOTALS.has(around))
      this.#problems.push(`${series} only grows and is not within a rate`);
    else if (metric.kind === 'gauge' && RATES.has(around))
      this.#problems.push(`${series} goes up and down and has no ${around}`);
  }

  #checkMatchers(
    series: string,
    metric: Metric,
    matchers: CheckedSelector['matchers'],
    labels: ReadonlySet<string>,
  ): void {
    for (const [label, matcher] of Object.entries(matchers)) {
      if (!labels.has(label)) this.#problems.push(`${series} has no label ${label}`);
      const values = JSON.parse(matcher.replace(/^[=!~]+/, '')) as string;
      if (values.startsWith('$')) continue;
      if (label === 'le') this.#checkBound(series, metric, values);
      const closed = metric.labels[label];
      if (closed === undefined || 'maxValues' in closed) continue;
      for (const value of matcher.includes('~') ? values.split('|') : [values]) {
        if (!closed.includes(value.replaceAll(/\\(.)/g, '$1'))) {
          this.#problems.push(`${series}: ${label} is never ${value}`);
        }
      }
    }
  }

  #checkBound(series: string, metric: Metric, value: string): void {
    const bound = Number(value.replace(/\(\\\.0\)\?$/, ''));
    const bounds = metric.kind === 'histogram' ? metric.buckets : [];
    if (!bounds.includes(bound)) this.#problems.push(`${series} has no bucket up to ${value}`);
  }

  #matchers(node: SyntaxNode): Record<string, string> {
    const list = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
    return Object.fromEntries(
      list.map((matcher) => {
        const [label, operator, value] = ['LabelName', 'MatchOp', 'StringLiteral'].map((name) =>
          this.#slice(matcher.getChild(name) as SyntaxNode),
        );
        return [label, `${operator}${value}`];
      }),
    );
  }

  #call(node: SyntaxNode): Shape {
    const name = this.#slice(node.getChild('FunctionIdentifier') as SyntaxNode);
    const args = childrenOf(node.getChild('FunctionCallBody') as SyntaxNode);
    if (name === 'time') return { unit: 's', labels: new Set() };
    const shapes = args.map((argument) => this.#shape(argument, name));
    const last = (name === 'clamp_min' ? shapes[0] : shapes.at(-1)) ?? NUMBER;
    if (name === 'vector') return NUMBER;
    if (name === 'absent') return { unit: '1', labels: this.#selectedBy(args[0] as SyntaxNode) };
    if (name === 'count_over_time') return { ...last, unit: '{sample}' };
    if (KEEPING_UNITS.has(name)) return last;
    if (name === 'rate') return { ...last, unit: last.unit === 's' ? '1' : `${last.unit}/s` };
    if (name === 'histogram_quantile') return this.#quantile(args.at(-1) as SyntaxNode, last);
    this.#problems.push(`${name} is not a function that the dashboards use`);
    return last;
  }

  /** The result of absent() has the labels of the equality matchers. */
  #selectedBy(argument: SyntaxNode): ReadonlySet<string> {
    if (argument.name !== 'VectorSelector') return new Set();
    const certain = Object.entries(this.#matchers(argument)).filter(([, matcher]) => matcher.startsWith('="'));
    return new Set(certain.map(([label]) => label));
  }

  #quantile(argument: SyntaxNode, { labels = new Set() }: Shape): Shape {
    if (!labels.has('le')) this.#problems.push(`a quantile needs le: ${this.#slice(argument)}`);
    const selector = this.#selectors.findLast(({ series }) => series.endsWith('_bucket'));
    if (selector === undefined) this.#problems.push('a quantile needs buckets');
    const rest = new Set([...labels].filter((label) => label !== 'le'));
    return { unit: this.#metrics[selector?.metric ?? '']?.unit, labels: rest };
  }

  #aggregation(node: SyntaxNode): Shape {
    const operator = this.#slice(node.getChild('AggregateOp') as SyntaxNode);
    const of = childrenOf(node.getChild('FunctionCallBody') as SyntaxNode).at(-1);
    const shape = this.#shape(of as SyntaxNode, operator);
    if (operator === 'topk') return shape;
    const by = this.#labelNames(node.getChild('AggregateModifier'));
    for (const label of by) {
      if (shape.labels?.has(label) === false)
        this.#problems.push(`by (${label}), but the label does not exist: ${this.#slice(node)}`);
    }
    return { unit: operator === 'count' ? '{count}' : shape.unit, labels: new Set(by) };
  }

  #binary(node: SyntaxNode, around: string | undefined): Shape {
    const parts = childrenOf(node);
    const [leftNode, operator, rightNode] = [parts[0], parts[1]?.name ?? '', parts.at(-1)] as [
      SyntaxNode,
      string,
      SyntaxNode,
    ];
    const inside = this.#isGrowth([leftNode, operator, rightNode], around) ? GROWTH : undefined;
    const left = this.#shape(leftNode, inside);
    const right = this.#shape(rightNode, inside);
    if (COMPARISONS.has(operator)) this.#hasComparison = true;
    if (isNumber(leftNode) || isNumber(rightNode)) return isNumber(leftNode) ? right : left;
    return operator === 'Or' && around === 'sum'
      ? this.#union(node, [left, right])
      : this.#matched(node, operator, [left, right]);
  }

  /** A counter minus or unless what it was before, or since counting began. */
  #isGrowth([left, operator, right]: readonly [SyntaxNode, string, SyntaxNode], around: string | undefined): boolean {
    if (operator === 'And') return this.#slice(right).includes('siphon_db_poller_counting_since_timestamp_seconds');
    const before = `last_over_time(${this.#slice(left)}[`;
    const isOfBefore = this.#slice(right).startsWith(before);
    return operator === 'Sub' ? around === GROWTH || isOfBefore : operator === 'Unless' && isOfBefore;
  }

  /** Scraped series of two metrics, side by side in what aggregates them. */
  #union(node: SyntaxNode, [left, right]: readonly [Shape, Shape]): Shape {
    this.#checkUnits(node, 'Or', [left, right]);
    return { ...left, labels: new Set([...(left.labels ?? [])].filter((label) => right.labels?.has(label))) };
  }

  #matched(node: SyntaxNode, operator: string, [left, right]: readonly [Shape, Shape]): Shape {
    this.#checkMatching(node, left, right);
    if (SET_OPERATORS.has(operator) || operator === 'Mul') return left;
    if (operator === 'Div') return this.#divided(node, [left, right]);
    this.#checkUnits(node, operator, [left, right]);
    return COMPARISONS.has(operator) || left.labels?.size !== 0 ? left : right;
  }

  #divided(node: SyntaxNode, [left, right]: readonly [Shape, Shape]): Shape {
    // Seconds divided by a number of observations are seconds.
    if (right.unit === '{observation}' && !isCount(left.unit)) return left;
    // Seconds divided by seconds for each poll are polls.
    const step = `${left.unit}/`;
    if (right.unit?.startsWith(step) === true) return { ...left, unit: right.unit.slice(step.length) };
    this.#checkUnits(node, 'Div', [left, right]);
    return { ...left, unit: '1' };
  }

  #checkUnits(node: SyntaxNode, operator: string, [left, right]: readonly [Shape, Shape]): void {
    // Counts have different names; a part may be divided by the whole, or replace it.
    if (['Div', 'Or'].includes(operator) && isCount(left.unit) && isCount(right.unit)) return;
    if (left.unit !== undefined && right.unit !== undefined && left.unit !== right.unit) {
      this.#problems.push(`${left.unit} and ${right.unit}: ${this.#slice(node)}`);
    }
  }

  /** `time()` is a number and matches everything. */
  #checkMatching(node: SyntaxNode, left: Shape, right: Shape): void {
    if (this.#slice(node).startsWith('time()')) return;
    const clause = node.getChild('MatchingModifierClause');
    if (clause === null) {
      const [one, other] = [left, right].map(({ labels }) => [...(labels ?? [])].toSorted().join());
      if (one !== other) this.#problems.push(`sides that never match, (${one}) and (${other}): ${this.#slice(node)}`);
      return;
    }
    for (const label of this.#labelNames(clause)) {
      if (left.labels?.has(label) === false || right.labels?.has(label) === false) {
        this.#problems.push(`on (${label}), which one side lacks: ${this.#slice(node)}`);
      }
    }
  }

  #labelNames(node: SyntaxNode | null): string[] {
    const lists = node?.getChildren('GroupingLabels') ?? [];
    return lists.flatMap((list) => list.getChildren('LabelName').map((label) => this.#slice(label)));
  }

  #slice({ from, to }: SyntaxNode): string {
    return this.#text.slice(from, to);
  }
}

export interface KnownSeries {
  readonly name: string;
  readonly metric: Metric;
  /** The series of a histogram: `_bucket`, `_sum` or `_count`. */
  readonly part: string;
}

/** The metric that a series is of. */
export function findMetric(series: string, metrics: MetricsByName): KnownSeries | undefined {
  for (const part of ['', '_bucket', '_sum', '_count']) {
    if (!series.endsWith(part)) continue;
    const name = series.slice(0, series.length - part.length);
    const metric = Object.hasOwn(metrics, name) ? metrics[name] : undefined;
    if (metric !== undefined && (part === '' || metric.kind === 'histogram')) return { name, metric, part };
  }
  return undefined;
}

function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child);
  return children;
}

function isNumber(node: SyntaxNode): boolean {
  return node.name === 'NumberDurationLiteral';
}

function isCount(unit: string | undefined): boolean {
  return unit !== undefined && /^\{\w+\}$/.test(unit);
}
