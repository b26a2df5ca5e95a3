/** Arithmetic with vectors. Each function checks the units and throws if they do not match. */
import type { BinaryOperator, Node } from './node.ts';
import type { Series, Vector } from './vector.ts';

/**
 * A part, and 0 where only the whole has a series: a counter that was never touched need not be there.
 */
export function partOf<Label extends string>(part: Vector<Label>, whole: Vector<NoInfer<Label>>): Vector<Label> {
  comparable(part, whole);
  sameLabels(part, whole);
  return { ...part, node: binary('or', part.node, binary('*', whole.node, number(0))) };
}

/** A part of a whole, 0 to 1; without a whole there is no ratio. */
export function ratio<Label extends string>(part: Vector<Label>, whole: Vector<NoInfer<Label>>): Vector<Label> {
  const something = binary('>', whole.node, number(0));
  return { ...part, node: binary('/', partOf(part, whole).node, something), unit: '1' };
}

/** A part and the whole that it belongs to, as counts. */
export type Share<Label extends string> = readonly [part: Vector<Label>, whole: Vector<Label>];

/** The difference from `whole`, which has the same unit. */
export function missingTo<Label extends string>(whole: number, of: Vector<Label>): Vector<Label> {
  return { ...of, node: binary('-', number(whole), of.node) };
}

/** A part in relation to something that has fewer labels, such as a limit. */
export function relativeTo<Label extends string, Fewer extends Label>(
  part: Vector<Label>,
  whole: Vector<Fewer>,
): Vector<Label> {
  sameUnit(part, whole);
  const matching = { on: whole.labels, groupLeft: part.labels.length > whole.labels.length };
  return { ...part, node: { ...binary('/', part.node, whole.node), ...matching }, unit: '1' };
}

/** How many times as much as another quantity of the same unit: not a share, because it may be far above 1. */
export function multipleOf<Label extends string>(of: Vector<Label>, base: Vector<NoInfer<Label>>): Vector<Label> {
  sameUnit(of, base);
  sameLabels(of, base);
  return { ...of, node: binary('/', of.node, binary('>', base.node, number(0))), unit: '{multiple}' };
}

/** A quantity in steps: seconds divided by seconds for each poll are polls. */
export function inSteps<Label extends string>(of: Vector<Label>, step: Vector<NoInfer<Label>>): Vector<Label> {
  sameLabels(of, step);
  if (!step.unit.startsWith(`${of.unit}/`)) throw new TypeError(`${of.unit} cannot be divided into ${step.unit}`);
  return { ...of, node: binary('/', of.node, step.node), unit: step.unit.slice(of.unit.length + 1) };
}

export function plus<Label extends string>(left: Vector<Label>, right: Vector<NoInfer<Label>>): Vector<Label> {
  return between('+', left, right);
}

export function minus<Label extends string>(left: Vector<Label>, right: Vector<NoInfer<Label>>): Vector<Label> {
  return between('-', left, right);
}

/** `factor` times as much, in `unit` where that changes it. */
export function times<Label extends string>(of: Vector<Label>, factor: number, unit = of.unit): Vector<Label> {
  return { ...of, node: binary('*', of.node, number(factor)), unit };
}

/** `bound` where the value is less. */
export function atLeast<Label extends string>(of: Vector<Label>, bound: number): Vector<Label> {
  return { ...of, node: call('clamp_min', of.node, number(bound)) };
}

/** How long ago a time was, in seconds. */
export function age<Label extends string>(timestamp: Vector<Label>): Vector<Label> {
  if (timestamp.unit !== 's') throw new TypeError(`${timestamp.unit} is not a time`);
  return { ...timestamp, node: binary('-', call('time'), timestamp.node) };
}

export type Comparison = '>' | '>=' | '<' | '<=' | '==' | '!=';

/** The elements for which the comparison is true. */
export function compare<Label extends string>(of: Vector<Label>, operator: Comparison, bound: number): Vector<Label> {
  return { ...of, node: binary(operator, of.node, number(bound)) };
}

/** Counters that exist from the start have series with 0. Without those, a panel on which nothing happened is empty. */
export function happened<Label extends string>(count: Vector<Label>): Vector<Label> {
  return compare(count, '>', 0);
}

/** The elements of `left` for which the comparison with their counterpart on the right is true. */
export function compareTo<Label extends string>(
  left: Vector<Label>,
  operator: Comparison,
  right: Vector<NoInfer<Label>>,
): Vector<Label> {
  return between(operator, left, right);
}

/** The elements of `left` with a counterpart on the right. */
export function and<Label extends string, Other extends Label>(
  left: Vector<Label>,
  right: Vector<Other>,
): Vector<Label> {
  return matched('and', left, right);
}

/** The elements of `left` without a counterpart on the right. */
export function unless<Label extends string, Other extends Label>(
  left: Vector<Label>,
  right: Vector<Other>,
): Vector<Label> {
  return matched('unless', left, right);
}

/** All of `left`, and those of `right` that have no counterpart there. */
export function or<Label extends string>(left: Vector<Label>, right: Vector<NoInfer<Label>>): Vector<Label> {
  return between('or', left, right);
}

/** 1 where there is nothing. */
export function absent(of: Vector): Vector<never> {
  return { form: 'vector', node: call('absent', of.node), unit: '1', labels: [] };
}

/** 1 where there are no such series, with the labels that they were selected by. */
export function absentSeries<Label extends string>(of: Series<Label>, selectedBy: readonly Label[]): Vector<Label> {
  return { form: 'vector', node: call('absent', of.node), unit: '1', labels: selectedBy };
}

/** Series of two metrics that never have the same labels, to be aggregated as if they were of one. */
export function together<Label extends string>(left: Series<Label>, right: Series<Label>): Series<Label> {
  comparable(left, right);
  return { ...left, node: binary('or', left.node, right.node) };
}

/** Always there, and this number. */
export function constant(value: number, unit = '1'): Vector<never> {
  return { form: 'vector', node: call('vector', number(value)), unit, labels: [] };
}

function matched<Label extends string>(operator: 'and' | 'unless', left: Vector<Label>, right: Vector): Vector<Label> {
  return { ...left, node: { ...binary(operator, left.node, right.node), on: right.labels } };
}

function between<Label extends string>(
  operator: BinaryOperator,
  left: Vector<Label>,
  right: Vector<NoInfer<Label>>,
): Vector<Label> {
  sameUnit(left, right);
  sameLabels(left, right);
  return { ...left, node: binary(operator, left.node, right.node) };
}

interface Unit {
  readonly unit: string;
}

function sameUnit(left: Unit, right: Unit): void {
  if (left.unit !== right.unit) throw new TypeError(`${left.unit} and ${right.unit} are not the same unit`);
}

/** Annotations such as `{error}` are names for plain numbers, so that errors can be part of requests. */
function comparable(left: Unit, right: Unit): void {
  if (![left, right].every(({ unit }) => /^\{\w+\}$/.test(unit))) sameUnit(left, right);
}

function sameLabels(left: Vector, right: Vector): void {
  const [one, other] = [left, right].map(({ labels }) => labels.toSorted().join(', '));
  if (one !== other) throw new TypeError(`by (${one}) and by (${other}) never match`);
}

function binary(operator: BinaryOperator, left: Node, right: Node): Node & { readonly type: 'binary' } {
  return { type: 'binary', operator, left, right };
}

function number(value: number): Node {
  return { type: 'number', value };
}

function call(name: string, ...args: readonly Node[]): Node {
  return { type: 'call', name, arguments: args };
}
