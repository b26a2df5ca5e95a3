import type { AnyValue } from '../../../engine/otlp/any-value.ts';

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';

export const COMPARISONS: ReadonlySet<string> = new Set<Comparison>(['==', '!=', '<', '<=', '>', '>=']);

/** Values of different types are different, and neither is less. Whole numbers and fractions are one type. */
export function compare(left: AnyValue, operator: Comparison, right: AnyValue): boolean {
  const order = orderOf(left, right);
  switch (operator) {
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order !== undefined && order < 0;
    case '<=':
      return order !== undefined && order <= 0;
    case '>':
      return order !== undefined && order > 0;
    case '>=':
      return order !== undefined && order >= 0;
  }
}

/** Undefined if the values cannot be compared. */
function orderOf(left: AnyValue, right: AnyValue): number | undefined {
  if (left === null && right === null) return 0;
  if (isNumber(left) && isNumber(right)) return orderOfPrimitives(left, right);
  if (typeof left === 'string' && typeof right === 'string') return orderOfPrimitives(left, right);
  if (typeof left === 'boolean' && typeof right === 'boolean') return Number(left) - Number(right);
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right);
  return undefined;
}

function isNumber(value: AnyValue): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

/** NaN is not equal to itself. */
function orderOfPrimitives<T extends number | bigint | string>(left: T, right: T): number | undefined {
  if (left < right) return -1;
  if (left > right) return 1;
  return left >= right ? 0 : undefined;
}
