import { PromqlError } from '../promql-error.ts';
import {
  isComparison,
  isSetOperator,
  type Aggregation,
  type AggregationOperator,
  type Binary,
  type Call,
  type Expression,
  type Grouping,
  type Negation,
} from './expression.ts';
import { signatures, type FunctionSignature } from './function-signature.ts';
import { typeName, valueTypeOf, type ValueType } from './value-type.ts';

export function checkCall(call: Call): Call {
  const { takes, optional, repeats = false }: FunctionSignature = signatures[call.name];
  const count = call.args.length;
  if (count < takes.length - optional || (count > takes.length && !repeats)) {
    throw PromqlError.at(call.from, `${call.name} takes ${expected(takes.length, optional, repeats)}, not ${count}`);
  }
  for (const [index, argument] of call.args.entries()) {
    expectType(argument, (takes[index] ?? takes.at(-1)) as ValueType, call.name);
  }
  return call;
}

function expected(most: number, optional: number, repeats: boolean): string {
  const least = most - optional;
  if (repeats) return `at least ${least} arguments`;
  const counts = least === most ? String(most) : `${least} or ${most}`;
  return `${counts} argument${counts === '1' ? '' : 's'}`;
}

function expectType(argument: Expression, type: ValueType, name: string): void {
  const found = valueTypeOf(argument);
  if (found !== type)
    throw PromqlError.at(argument.from, `${name} needs ${typeName(type)} here, not ${typeName(found)}`);
}

const PARAMETERS: Readonly<Partial<Record<AggregationOperator, ValueType>>> = {
  topk: 'scalar',
  bottomk: 'scalar',
  quantile: 'scalar',
  count_values: 'string',
};

const LABEL = /^[A-Za-z_]\w*$/;

export function checkAggregation({
  from,
  operator,
  grouping,
  args,
}: {
  readonly from: number;
  readonly operator: AggregationOperator;
  readonly grouping: Grouping;
  readonly args: readonly Expression[];
}): Aggregation {
  const parameterType = PARAMETERS[operator];
  const count = parameterType === undefined ? 1 : 2;
  if (args.length !== count)
    throw PromqlError.at(from, `${operator} takes ${expected(count, 0, false)}, not ${args.length}`);
  const of = args.at(-1) as Expression;
  expectType(of, 'vector', operator);
  const parameter = count === 2 ? args[0] : undefined;
  if (parameter !== undefined) expectType(parameter, parameterType as ValueType, operator);
  if (parameter?.kind === 'string' && !LABEL.test(parameter.text)) {
    throw PromqlError.at(parameter.from, `${parameter.text} is not the name of a label`);
  }
  return { kind: 'aggregation', from, operator, grouping, parameter, of };
}

export function checkNegation(of: Expression, from: number): Negation {
  expectOperand(of, '-');
  return { kind: 'negation', from, of };
}

export function checkBinary(binary: Binary): Binary {
  const { from, operator, left, right, isBool } = binary;
  for (const side of [left, right]) expectOperand(side, operator);
  const scalars = [left, right].filter((side) => valueTypeOf(side) === 'scalar').length;
  if (isBool && !isComparison(operator)) throw PromqlError.at(from, 'bool is only for comparisons');
  if (scalars === 2 && isComparison(operator) && !isBool) {
    throw PromqlError.at(from, 'a comparison of two numbers needs bool');
  }
  if (scalars > 0 && isSetOperator(operator)) throw PromqlError.at(from, `${operator} is only for instant vectors`);
  checkMatching(binary, scalars);
  return binary;
}

function checkMatching({ from, operator, matching }: Binary, scalars: number): void {
  const { isOnly, labels, many, included } = matching;
  if (scalars > 0 && labels.length > 0) {
    throw PromqlError.at(from, 'on and ignoring are only for two instant vectors');
  }
  if (many !== undefined && isSetOperator(operator)) throw PromqlError.at(from, `${operator} has no group_${many}`);
  const doubled = isOnly ? included.find((label) => labels.includes(label)) : undefined;
  if (doubled !== undefined) throw PromqlError.at(from, `the label ${doubled} is in on and in group_${many}`);
}

function expectOperand(side: Expression, operator: string): void {
  const type = valueTypeOf(side);
  if (type === 'matrix' || type === 'string') {
    throw PromqlError.at(side.from, `${operator} is only for numbers and instant vectors, not for ${typeName(type)}`);
  }
}
