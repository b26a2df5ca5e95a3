import { SERIES_STEPS, type Budget, type Steps } from '../budget.ts';
import { drop, keep, keyOf, withLabel, withoutName, type Labels } from '../labels.ts';
import { PromqlError } from '../promql-error.ts';
import { isComparison, type Binary, type BinaryOperator, type Matching } from '../syntax/expression.ts';
import { groupingOf } from './grouping.ts';
import { eachStep, emptySeries, joined, put, type StepSeries, type Vector } from './vector.ts';

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

export function* scalarWithScalar(
  binary: Binary,
  { left, right }: { readonly left: Float64Array; readonly right: Float64Array },
  budget: Budget,
): Steps<Float64Array> {
  const element = elementOf(binary);
  return yield* eachStep(left, (value, step) => element(value, right[step] as number) as number, budget);
}

/** An operation with a number keeps the elements; a comparison selects some of them. */
export function* vectorWithScalar(
  binary: Binary,
  { vector, scalars, isLeft }: { readonly vector: Vector; readonly scalars: Float64Array; readonly isLeft: boolean },
  budget: Budget,
): Steps<Vector> {
  const element = elementOf(binary);
  const selects = isComparison(binary.operator) && !binary.isBool;
  const results: StepSeries[] = [];
  for (const { labels, values, known } of vector) {
    const result = emptySeries(selects ? labels : nameAfter(binary, labels), values.length);
    for (const [step, value] of values.entries()) {
      if (budget.spend(1)) yield;
      if (known[step] === 0) continue;
      const scalar = scalars[step] as number;
      const computed = isLeft ? element(scalar, value) : element(value, scalar);
      if (computed !== undefined) put(result, step, selects ? value : computed);
    }
    results.push(result);
    if (budget.spend(SERIES_STEPS)) yield;
  }
  return yield* joined(results, budget);
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

function* sidesOf(vector: Vector, matching: Matching, budget: Budget): Steps<readonly Side[]> {
  const labelsOf = groupingOf(matching);
  const sides: Side[] = [];
  for (const series of vector) {
    sides.push({ key: keyOf(labelsOf(series.labels)), series });
    if (budget.spend(SERIES_STEPS)) yield;
  }
  return sides;
}

/** The two sides of an operation. */
export interface Operands {
  readonly left: Vector;
  readonly right: Vector;
}

export function* vectorWithVector(binary: Binary, { left, right }: Operands, budget: Budget): Steps<Vector> {
  const { matching } = binary;
  const isSwapped = matching.many === 'right';
  const [many, one] = isSwapped ? [right, left] : [left, right];
  const steps = (left[0] ?? right[0])?.values.length ?? 0;
  const oneByKey = Map.groupBy(yield* sidesOf(one, matching, budget), ({ key }) => key);
  const matches = new Matches(binary, steps, budget);
  yield* matches.findSteps(many, one);
  yield* matches.checkOne(oneByKey.values());
  for (const { key, series } of yield* sidesOf(many, matching, budget)) {
    for (const other of oneByKey.get(key) ?? []) yield* matches.add(key, series, other.series);
  }
  return yield* joined(matches.results, budget);
}

/** The pairs of series that belong together, and their results. */
class Matches {
  readonly results: StepSeries[] = [];
  readonly #binary: Binary;
  readonly #steps: number;
  readonly #budget: Budget;
  readonly #isSwapped: boolean;
  readonly #element: (left: number, right: number) => number | undefined;
  /** Steps at which both sides have an element; without one, nothing is matched. */
  readonly #isMatched: Uint8Array;
  /** The steps that have a result, by the key of the match, and with a `group` also by the labels of the result. */
  readonly #taken = new Map<string, Uint8Array>();

  constructor(binary: Binary, steps: number, budget: Budget) {
    this.#budget = budget;
    this.#binary = binary;
    this.#steps = steps;
    this.#isSwapped = binary.matching.many === 'right';
    this.#element = elementOf(binary);
    this.#isMatched = new Uint8Array(steps);
  }

  *findSteps(many: Vector, one: Vector): Steps<void> {
    const [inMany, inOne] = [new Uint8Array(this.#steps), new Uint8Array(this.#steps)];
    for (const { known } of many) yield* addSteps(inMany, known, this.#budget);
    for (const { known } of one) yield* addSteps(inOne, known, this.#budget);
    for (const [step, isInMany] of inMany.entries()) this.#isMatched[step] = isInMany & (inOne[step] as number);
  }

  /** @throws PromqlError if the side that must be unique is not. */
  *checkOne(groups: Iterable<readonly Side[]>): Steps<void> {
    for (const group of groups) {
      if (group.length < 2) continue;
      for (const [step, isMatched] of this.#isMatched.entries()) {
        if (this.#budget.spend(group.length)) yield;
        if (isMatched === 0 || group.filter(({ series }) => series.known[step] === 1).length < 2) continue;
        const side = this.#isSwapped ? 'left' : 'right';
        throw this.#problem(`several series on the ${side} have the labels that must match; they must be unique there`);
      }
    }
  }

  *add(key: string, many: StepSeries, one: StepSeries): Steps<void> {
    if (this.#budget.spend(SERIES_STEPS)) yield;
    const labels = this.#labels(many.labels, one.labels);
    const isGrouped = this.#binary.matching.many !== undefined;
    const taken = this.#takenSteps(isGrouped ? key + keyOf(labels) : key);
    const result = emptySeries(labels, this.#steps);
    for (const [step, isMatched] of this.#isMatched.entries()) {
      if (this.#budget.spend(1)) yield;
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
    for (const name of matching.included) {
      const value = one.get(name) ?? '';
      this.#budget.label(value.length);
      labels = withLabel(labels, name, value);
    }
    return this.#binary.isBool ? withoutName(labels) : labels;
  }

  #problem(what: string): PromqlError {
    return new PromqlError('execution', `character ${this.#binary.from + 1}: ${what}`);
  }
}

/** `and`, `or` and `unless` select elements by whether the other side has some. */
export function* setOperation(binary: Binary, { left, right }: Operands, budget: Budget): Steps<Vector> {
  const lefts = yield* sidesOf(left, binary.matching, budget);
  const rights = yield* sidesOf(right, binary.matching, budget);
  if (binary.operator === 'or') {
    const added = yield* filtered(rights, { others: yield* presence(lefts, budget), mustBeThere: false }, budget);
    return yield* joined([...left, ...added], budget);
  }
  const others = yield* presence(rights, budget);
  return yield* joined(yield* filtered(lefts, { others, mustBeThere: binary.operator === 'and' }, budget), budget);
}

/** For each key the steps at which a series has a value. */
function* presence(sides: readonly Side[], budget: Budget): Steps<ReadonlyMap<string, Uint8Array>> {
  const present = new Map<string, Uint8Array>();
  for (const { key, series } of sides) {
    const steps = present.get(key);
    if (steps === undefined) present.set(key, series.known.slice());
    else yield* addSteps(steps, series.known, budget);
  }
  return present;
}

/** Adds the steps of one series to those of others. */
function* addSteps(steps: Uint8Array, known: Uint8Array, budget: Budget): Steps<void> {
  for (const [step, isKnown] of known.entries()) {
    if (isKnown === 1) steps[step] = 1;
    if (budget.spend(1)) yield;
  }
}

function* filtered(
  sides: readonly Side[],
  { others, mustBeThere }: { readonly others: ReadonlyMap<string, Uint8Array>; readonly mustBeThere: boolean },
  budget: Budget,
): Steps<readonly StepSeries[]> {
  const results: StepSeries[] = [];
  for (const { key, series } of sides) {
    const other = others.get(key);
    const known = new Uint8Array(series.known.length);
    for (const [step, isKnown] of series.known.entries()) {
      known[step] = Number(isKnown === 1 && (other?.[step] === 1) === mustBeThere);
      if (budget.spend(1)) yield;
    }
    results.push({ ...series, known });
  }
  return results;
}
