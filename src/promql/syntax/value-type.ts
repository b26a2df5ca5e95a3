import type { Expression } from './expression.ts';
import { signatures } from './function-signature.ts';

export type ValueType = 'scalar' | 'vector' | 'matrix' | 'string';

const NAMES: Readonly<Record<ValueType, string>> = {
  scalar: 'a number',
  vector: 'an instant vector',
  matrix: 'a range vector',
  string: 'a text',
};

export function typeName(type: ValueType): string {
  return NAMES[type];
}

/** A long chain of operators would be walked again for each of them. */
const known = new WeakMap<Expression, ValueType>();

export function valueTypeOf(expression: Expression): ValueType {
  const type = known.get(expression) ?? typeOf(expression);
  known.set(expression, type);
  return type;
}

function typeOf(expression: Expression): ValueType {
  switch (expression.kind) {
    case 'number':
      return 'scalar';
    case 'string':
      return 'string';
    case 'range':
    case 'subquery':
      return 'matrix';
    case 'selector':
    case 'aggregation':
      return 'vector';
    case 'call':
      return signatures[expression.name].returns;
    case 'negation':
      return valueTypeOf(expression.of);
    case 'binary':
      return valueTypeOf(expression.left) === 'scalar' ? valueTypeOf(expression.right) : 'vector';
  }
}
