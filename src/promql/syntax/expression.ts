/** Expressions of PromQL as a tree. `from` is the position in the text. */
import type { Matcher } from '../matcher.ts';
import type { FunctionName } from './function-signature.ts';

export type Expression =
  | NumberLiteral
  | StringLiteral
  | VectorSelector
  | RangeSelector
  | Subquery
  | Call
  | Aggregation
  | Binary
  | Negation;

export interface NumberLiteral {
  readonly kind: 'number';
  readonly from: number;
  readonly value: number;
}

export interface StringLiteral {
  readonly kind: 'string';
  readonly from: number;
  readonly text: string;
}

/** At which time something is evaluated, instead of the time of the step. */
export interface Shift {
  /** Positive: earlier. */
  readonly offsetMs: number;
  /** Unix time in milliseconds, or the first or the last step of the whole query. */
  readonly at?: number | 'start' | 'end' | undefined;
}

export interface VectorSelector extends Shift {
  readonly kind: 'selector';
  readonly from: number;
  readonly matchers: readonly Matcher[];
}

export interface RangeSelector {
  readonly kind: 'range';
  readonly from: number;
  readonly of: VectorSelector;
  readonly rangeMs: number;
}

export interface Subquery extends Shift {
  readonly kind: 'subquery';
  readonly from: number;
  readonly of: Expression;
  readonly rangeMs: number;
  /** Undefined: that of recording rules. */
  readonly stepMs: number | undefined;
}

export interface Call {
  readonly kind: 'call';
  readonly from: number;
  readonly name: FunctionName;
  readonly args: readonly Expression[];
}

export interface Grouping {
  /** True for `by` and `on`: only these labels count. False for `without` and `ignoring`: all others. */
  readonly isOnly: boolean;
  readonly labels: readonly string[];
}

export interface Aggregation {
  readonly kind: 'aggregation';
  readonly from: number;
  readonly operator: AggregationOperator;
  readonly grouping: Grouping;
  readonly parameter: Expression | undefined;
  readonly of: Expression;
}

export interface Binary {
  readonly kind: 'binary';
  /** The position of the operator. */
  readonly from: number;
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
  /** True for a comparison that gives 0 or 1 instead of a selection. */
  readonly isBool: boolean;
  readonly matching: Matching;
}

export interface Matching extends Grouping {
  /** The side that may have several series for one of the other; undefined for neither. */
  readonly many: 'left' | 'right' | undefined;
  /** Labels that the result takes from the other side. */
  readonly included: readonly string[];
}

export interface Negation {
  readonly kind: 'negation';
  readonly from: number;
  readonly of: Expression;
}

export const AGGREGATIONS = [
  'sum',
  'avg',
  'min',
  'max',
  'count',
  'group',
  'stddev',
  'stdvar',
  'topk',
  'bottomk',
  'quantile',
  'count_values',
] as const;

export type AggregationOperator = (typeof AGGREGATIONS)[number];

/** From the loosest to the tightest. */
const PRECEDENCE = [
  ['or'],
  ['and', 'unless'],
  ['==', '!=', '<', '<=', '>', '>='],
  ['+', '-'],
  ['*', '/', '%', 'atan2'],
  ['^'],
] as const;

export type BinaryOperator = (typeof PRECEDENCE)[number][number];

/** Undefined for a text that is not an operator. */
export function precedenceOf(operator: string): number | undefined {
  const index = PRECEDENCE.findIndex((operators) => (operators as readonly string[]).includes(operator));
  return index < 0 ? undefined : index;
}

export const POWER = PRECEDENCE.length - 1;

export function isSetOperator(operator: BinaryOperator): operator is 'and' | 'or' | 'unless' {
  return (precedenceOf(operator) as number) < 2;
}

export function isComparison(operator: BinaryOperator): boolean {
  return precedenceOf(operator) === 2;
}

/** All selectors of an expression, from left to right. */
export function* selectorsIn(expression: Expression): Generator<VectorSelector> {
  if (expression.kind === 'selector') yield expression;
  for (const part of partsOf(expression)) yield* selectorsIn(part);
}

/** The expressions that it is made of, from left to right. */
export function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'call':
      return expression.args;
    case 'binary':
      return [expression.left, expression.right];
    case 'aggregation':
      return expression.parameter === undefined ? [expression.of] : [expression.parameter, expression.of];
    case 'range':
    case 'subquery':
    case 'negation':
      return [expression.of];
    case 'selector':
    case 'number':
    case 'string':
      return [];
  }
}
