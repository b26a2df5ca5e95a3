import { SERIES_STEPS, type Budget, type Steps } from '../budget.ts';
import { drop, keep, keyOf, withLabel, withoutName, type Labels } from '../labels.ts';
import { PromqlError } from '../promql-error.ts';
import { isComparison, type Binary, type BinaryOperator, type Matching } from '../syntax/expression.ts';
import { GroupLabels } from './grouping.ts';
import { eachStep, EmptySeries, hasValues, joined, put, type StepSeries, type Vector } from './vector.ts';

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
  const empty = new EmptySeries(scalars.length, vector.length);
  const results: StepSeries[] = [];
  for (const { labels, values, known } of vector) {
    const result = empty.next(selects ? labels : nameAfter(binary, labels));
    yield* budget.inParts(values.length, (from, to) => {
      for (let step = from; step < to; step++) {
        if (known[step] === 0) continue;
        const [value, scalar] = [values[step] as number, scalars[step] as number];
        const computed = isLeft ? element(scalar, value) : element(value, scalar);
        if (computed !== undefined) put(result, step, selects ? value : computed);
      }
    });
    results.push(result);
    if (budget.spend(SERIES_STEPS)) yield;
  }
  return selects ? results : yield* joined(results, budget);
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
  const groupLabels = new GroupLabels(matching);
  const sides: Side[] = [];
  for (const series of vector) {
    sides.push({ key: groupLabels.keyOf(series.labels), series });
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
  const matches = new Matches(binary, { steps, expected: many.length }, budget);
  yield* matches.findSteps(many, one);
  yield* matches.checkOne(oneByKey.values());
  for (const { key, series } of yield* sidesOf(many, matching, budget)) {
    for (const other of oneByKey.get(key) ?? []) yield* matches.add(key, series, other.series);
  }
  return yield* joined(matches.results, budget);
}

/** Two series with equal labels for the match, and the steps to compute. */
interface Matched {
  readonly many: StepSeries;
  readonly one: StepSeries;
  readonly from: number;
  readonly to: number;
}

/** The pairs of series that belong together, and their results. */
class Matches {
  readonly results: StepSeries[] = [];
  readonly #binary: Binary;
  readonly #steps: number;
  readonly #budget: Budget;
  readonly #isSwapped: boolean;
  readonly #empty: EmptySeries;
  readonly #element: (left: number, right: number) => number | undefined;
  /** Steps at which both sides have an element; without one, nothing is matched. */
  readonly #isMatched: Uint8Array;
  /** The steps that have a result, by the key of the match, and with a `group` also by the labels of the result. */
  readonly #taken = new Map<string, Uint8Array>();

  constructor(
    binary: Binary,
    { steps, expected }: { readonly steps: number; readonly expected: number },
    budget: Budget,
  ) {
    this.#budget = budget;
    this.#binary = binary;
    this.#steps = steps;
    this.#empty = new EmptySeries(steps, expected);
    this.#isSwapped = binary.matching.many === 'right';
    this.#element = elementOf(binary);
    this.#isMatched = new Uint8Array(steps);
  }

  *findSteps(many: Vector, one: Vector): Steps<void> {
    const inMany = yield* stepsOf(
      many.map(({ known }) => known),
      this.#budget,
    );
    const inOne = yield* stepsOf(
      one.map(({ known }) => known),
      this.#budget,
    );
    for (let step = 0; step < this.#steps; step++)
      this.#isMatched[step] = (inMany[step] as number) & (inOne[step] as number);
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
    const result = this.#empty.next(labels);
    yield* this.#budget.inParts(this.#steps, (from, to) => this.#compute(result, { many, one, from, to }));
    yield* this.#take(this.#binary.matching.many === undefined ? key : key + keyOf(labels), result.known);
    this.results.push(result);
  }

  #compute(result: StepSeries, { many, one, from, to }: Matched): void {
    const [isMatched, isSwapped, element] = [this.#isMatched, this.#isSwapped, this.#element];
    for (let step = from; step < to; step++) {
      if (isMatched[step] === 0 || many.known[step] === 0 || one.known[step] === 0) continue;
      const [manyValue, oneValue] = [many.values[step] as number, one.values[step] as number];
      const value = isSwapped ? element(oneValue, manyValue) : element(manyValue, oneValue);
      if (value !== undefined) put(result, step, value);
    }
  }

  /** @throws PromqlError if a step already has a result. */
  *#take(key: string, known: Uint8Array): Steps<void> {
    const taken = this.#taken.get(key);
    if (taken === undefined) {
      this.#taken.set(key, known);
      return;
    }
    if (yield* haveCommon(taken, known, this.#budget)) {
      throw this.#problem(
        this.#binary.matching.many === undefined
          ? 'several series on the left match one on the right: this needs group_left or group_right'
          : 'several results have the same labels: the labels of group_left or group_right must make them unique',
      );
    }
    this.#taken.set(key, yield* stepsOf([taken, known], this.#budget));
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
  return yield* filtered(lefts, { others, mustBeThere: binary.operator === 'and' }, budget);
}

/** For each key the steps at which a series has a value. */
function* presence(sides: readonly Side[], budget: Budget): Steps<ReadonlyMap<string, Uint8Array>> {
  const present = new Map<string, Uint8Array>();
  for (const [key, group] of Map.groupBy(sides, (side) => side.key)) {
    present.set(
      key,
      yield* stepsOf(
        group.map(({ series }) => series.known),
        budget,
      ),
    );
  }
  return present;
}

/** The steps of all series together; of a single one its own. */
function* stepsOf([first = new Uint8Array(0), ...others]: readonly Uint8Array[], budget: Budget): Steps<Uint8Array> {
  if (others.length === 0) return first;
  const steps = first.slice();
  for (const known of others) {
    yield* budget.inParts(known.length, (from, to) => {
      for (let step = from; step < to; step++) if (known[step] === 1) steps[step] = 1;
    });
  }
  return steps;
}

function* haveCommon(steps: Uint8Array, known: Uint8Array, budget: Budget): Steps<boolean> {
  let isCommon = false;
  yield* budget.inParts(known.length, (from, to) => {
    for (let step = from; step < to; step++) if (known[step] === 1 && steps[step] === 1) isCommon = true;
  });
  return isCommon;
}

function* filtered(
  sides: readonly Side[],
  { others, mustBeThere }: { readonly others: ReadonlyMap<string, Uint8Array>; readonly mustBeThere: boolean },
  budget: Budget,
): Steps<readonly StepSeries[]> {
  const results: StepSeries[] = [];
  for (const { key, series } of sides) {
    const other = others.get(key);
    if (other !== undefined) results.push(yield* selected(series, { other, mustBeThere }, budget));
    else if (!mustBeThere) results.push(series);
    if (budget.spend(1)) yield;
  }
  return results.filter(hasValues);
}

/** The series at the steps that are, or are not, among others. */
function* selected(
  series: StepSeries,
  { other, mustBeThere }: { readonly other: Uint8Array; readonly mustBeThere: boolean },
  budget: Budget,
): Steps<StepSeries> {
  const known = new Uint8Array(other.length);
  const wanted = Number(mustBeThere);
  yield* budget.inParts(known.length, (from, to) => {
    for (let step = from; step < to; step++) known[step] = Number(series.known[step] === 1 && other[step] === wanted);
  });
  return { ...series, known };
}
