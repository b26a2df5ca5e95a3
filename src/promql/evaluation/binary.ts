import { drop, keep, keyOf, withLabel, withoutName, type Labels } from '../labels.ts';
import { PromqlError } from '../promql-error.ts';
import { isComparison, type Binary, type BinaryOperator, type Matching } from '../syntax/expression.ts';
import { groupingOf } from './grouping.ts';
import { emptySeries, joined, put, type StepSeries, type Vector } from './vector.ts';

type Operation = (left: number, right: number) => number;
type Comparison = (left: number, right: number) => boolean;

const ARITHMETIC: Readonly<Partial<Record<BinaryOperator, Operation>>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
  '%': (left, right) => left % right,
  '^': power,
  atan2: Math.atan2,
};

const COMPARISONS: Readonly<Partial<Record<BinaryOperator, Comparison>>> = {
  '==': (left, right) => left === right,
  '!=': (left, right) => left !== right,
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
};

/** IEEE 754 has two cases that JavaScript decides otherwise. */
function power(base: number, exponent: number): number {
  const isOne = base === 1 || (base === -1 && Math.abs(exponent) === Infinity);
  return isOne ? 1 : base ** exponent;
}

/** The value of the operation on two values; undefined if a comparison does not hold. */
function elementOf({ operator, isBool }: Binary): (left: number, right: number) => number | undefined {
  const compare = COMPARISONS[operator];
  if (compare === undefined) return ARITHMETIC[operator] as Operation;
  if (isBool) return (left, right) => Number(compare(left, right));
  return (left, right) => (compare(left, right) ? left : undefined);
}

export function scalarWithScalar(binary: Binary, left: Float64Array, right: Float64Array): Float64Array {
  const element = elementOf(binary);
  return left.map((value, step) => element(value, right[step] as number) as number);
}

/** An operation with a number keeps the elements; a comparison selects some of them. */
export function vectorWithScalar(
  binary: Binary,
  vector: Vector,
  { scalars, isLeft }: { readonly scalars: Float64Array; readonly isLeft: boolean },
): Vector {
  const element = elementOf(binary);
  const selects = isComparison(binary.operator) && !binary.isBool;
  const results = vector.map(({ labels, values, known }) => {
    const result = emptySeries(selects ? labels : nameAfter(binary, labels), values.length);
    for (const [step, value] of values.entries()) {
      if (known[step] === 0) continue;
      const scalar = scalars[step] as number;
      const computed = isLeft ? element(scalar, value) : element(value, scalar);
      if (computed !== undefined) put(result, step, selects ? value : computed);
    }
    return result;
  });
  return joined(results);
}

/** Prometheus keeps the name after `atan2`. */
function nameAfter({ operator, isBool }: Binary, labels: Labels): Labels {
  const drops = isBool || (ARITHMETIC[operator] !== undefined && operator !== 'atan2');
  return drops ? withoutName(labels) : labels;
}

interface Side {
  readonly key: string;
  readonly series: StepSeries;
}

function sidesOf(vector: Vector, matching: Matching): readonly Side[] {
  const labelsOf = groupingOf(matching);
  return vector.map((series) => ({ key: keyOf(labelsOf(series.labels)), series }));
}

export function vectorWithVector(binary: Binary, left: Vector, right: Vector): Vector {
  const { matching } = binary;
  const isSwapped = matching.many === 'right';
  const [many, one] = isSwapped ? [right, left] : [left, right];
  const steps = (left[0] ?? right[0])?.values.length ?? 0;
  const oneByKey = Map.groupBy(sidesOf(one, matching), ({ key }) => key);
  const matches = new Matches(binary, { many, one, steps });
  matches.checkOne(oneByKey.values());
  for (const { key, series } of sidesOf(many, matching)) {
    for (const other of oneByKey.get(key) ?? []) matches.add(key, series, other.series);
  }
  return joined(matches.results);
}

function hasElement(vector: Vector, step: number): boolean {
  return vector.some(({ known }) => known[step] === 1);
}

/** The pairs of series that belong together, and their results. */
class Matches {
  readonly results: StepSeries[] = [];
  readonly #binary: Binary;
  readonly #steps: number;
  readonly #isSwapped: boolean;
  readonly #element: (left: number, right: number) => number | undefined;
  /** Steps at which both sides have an element; without one, nothing is matched. */
  readonly #isMatched: Uint8Array;
  /** The steps that have a result, by the key of the match, and with a `group` also by the labels of the result. */
  readonly #taken = new Map<string, Uint8Array>();

  constructor(
    binary: Binary,
    { many, one, steps }: { readonly many: Vector; readonly one: Vector; readonly steps: number },
  ) {
    this.#binary = binary;
    this.#steps = steps;
    this.#isSwapped = binary.matching.many === 'right';
    this.#element = elementOf(binary);
    this.#isMatched = new Uint8Array(steps).map((_, step) => Number(hasElement(many, step) && hasElement(one, step)));
  }

  /** @throws PromqlError if the side that must be unique is not. */
  checkOne(groups: Iterable<readonly Side[]>): void {
    for (const group of groups) {
      if (group.length < 2) continue;
      for (const [step, isMatched] of this.#isMatched.entries()) {
        if (isMatched === 0 || group.filter(({ series }) => series.known[step] === 1).length < 2) continue;
        const side = this.#isSwapped ? 'left' : 'right';
        throw this.#problem(`several series on the ${side} have the labels that must match; they must be unique there`);
      }
    }
  }

  add(key: string, many: StepSeries, one: StepSeries): void {
    const labels = this.#labels(many.labels, one.labels);
    const isGrouped = this.#binary.matching.many !== undefined;
    const taken = this.#takenSteps(isGrouped ? key + keyOf(labels) : key);
    const result = emptySeries(labels, this.#steps);
    for (const [step, isMatched] of this.#isMatched.entries()) {
      if (isMatched === 0 || many.known[step] === 0 || one.known[step] === 0) continue;
      const [manyValue, oneValue] = [many.values[step] as number, one.values[step] as number];
      const value = this.#isSwapped ? this.#element(oneValue, manyValue) : this.#element(manyValue, oneValue);
      if (value === undefined) continue;
      if (taken[step] === 1) {
        throw this.#problem(
          isGrouped
            ? 'several results have the same labels: the labels of group_left or group_right must make them unique'
            : 'several series on the left match one on the right: this needs group_left or group_right',
        );
      }
      taken[step] = 1;
      put(result, step, value);
    }
    this.results.push(result);
  }

  #takenSteps(key: string): Uint8Array {
    const taken = this.#taken.get(key) ?? new Uint8Array(this.#steps);
    this.#taken.set(key, taken);
    return taken;
  }

  #labels(many: Labels, one: Labels): Labels {
    const { matching } = this.#binary;
    let labels = nameAfter({ ...this.#binary, isBool: false }, many);
    if (matching.many === undefined) {
      const names = new Set(matching.labels);
      labels = matching.isOnly ? keep(labels, names) : drop(labels, names);
    }
    for (const name of matching.included) labels = withLabel(labels, name, one.get(name) ?? '');
    return this.#binary.isBool ? withoutName(labels) : labels;
  }

  #problem(what: string): PromqlError {
    return new PromqlError('execution', `character ${this.#binary.from + 1}: ${what}`);
  }
}

/** `and`, `or` and `unless` select elements by whether the other side has some. */
export function setOperation(binary: Binary, left: Vector, right: Vector): Vector {
  const [lefts, rights] = [sidesOf(left, binary.matching), sidesOf(right, binary.matching)];
  if (binary.operator === 'or') return joined([...left, ...filtered(rights, presence(lefts), false)]);
  return joined(filtered(lefts, presence(rights), binary.operator === 'and'));
}

/** For each key the steps at which a series has a value. */
function presence(sides: readonly Side[]): ReadonlyMap<string, Uint8Array> {
  const present = new Map<string, Uint8Array>();
  for (const { key, series } of sides) {
    const steps = present.get(key);
    if (steps === undefined) present.set(key, series.known.slice());
    else for (const [step, isKnown] of series.known.entries()) if (isKnown === 1) steps[step] = 1;
  }
  return present;
}

function filtered(
  sides: readonly Side[],
  others: ReadonlyMap<string, Uint8Array>,
  mustBeThere: boolean,
): readonly StepSeries[] {
  return sides.map(({ key, series }) => {
    const other = others.get(key);
    const isThere = (step: number): boolean => other?.[step] === 1;
    const known = series.known.map((isKnown, step) => Number(isKnown === 1 && isThere(step) === mustBeThere));
    return { ...series, known };
  });
}
