import { SERIES_STEPS, type Budget, type Steps } from '../budget.ts';
import { keyOf, type Labels } from '../labels.ts';
import { PromqlError } from '../promql-error.ts';
import type { Samples } from '../series-source.ts';

/** An instant vector at every step of a query: one element for each series. */
export type Vector = readonly StepSeries[];

export interface StepSeries {
  readonly labels: Labels;
  /** One for each step. */
  readonly values: Float64Array;
  /** 1 at the steps where there is a value. */
  readonly known: Uint8Array;
}

/** Most of the values that are allocated together. */
const BLOCK_VALUES = 65_536;

/** Makes series without values. Their arrays are parts of larger ones: to allocate an array takes longer than to fill it. */
export class EmptySeries {
  readonly #steps: number;
  readonly #blockValues: number;
  #values = new Float64Array(0);
  #known = new Uint8Array(0);
  #used = 0;

  /** @param expected how many series are needed; more are possible. */
  constructor(steps: number, expected: number) {
    this.#steps = steps;
    const most = Math.max(1, Math.floor(BLOCK_VALUES / steps));
    this.#blockValues = steps * Math.max(1, Math.min(expected, most));
  }

  next(labels: Labels): StepSeries {
    if (this.#used + this.#steps > this.#values.length) {
      this.#values = new Float64Array(this.#blockValues);
      this.#known = new Uint8Array(this.#blockValues);
      this.#used = 0;
    }
    const [from, to] = [this.#used, (this.#used += this.#steps)];
    return { labels, values: this.#values.subarray(from, to), known: this.#known.subarray(from, to) };
  }
}

/** A number at every step as the values of a series. */
export function seriesOf(labels: Labels, values: Float64Array): StepSeries {
  return { labels, values, known: new Uint8Array(values.length).fill(1) };
}

export function put({ values, known }: StepSeries, step: number, value: number): void {
  values[step] = value;
  known[step] = 1;
}

/** Computes a number out of another at each step. */
export function* eachStep(
  numbers: Float64Array,
  compute: (number: number, step: number) => number,
  budget: Budget,
): Steps<Float64Array> {
  const results = new Float64Array(numbers.length);
  yield* budget.inParts(numbers.length, (from, to) => {
    for (let step = from; step < to; step++) results[step] = compute(numbers[step] as number, step);
  });
  return results;
}

/** The times of the steps at which a series has values, and the values. */
export function* valuesPresent(
  { values, known }: StepSeries,
  stepsMs: Float64Array,
  budget: Budget,
): Steps<Pick<Samples, 'timesMs' | 'values'>> {
  const [timesMs, found] = [new Float64Array(values.length), new Float64Array(values.length)];
  let count = 0;
  yield* budget.inParts(known.length, (from, to) => {
    for (let step = from; step < to; step++) {
      if (known[step] === 0) continue;
      timesMs[count] = stepsMs[step] as number;
      found[count++] = values[step] as number;
    }
  });
  return { timesMs: timesMs.subarray(0, count), values: found.subarray(0, count) };
}

export function hasValues({ known }: StepSeries): boolean {
  return known.includes(1);
}

const SAME_LABELS = 'two series of the result have the same labels';

/**
 * Series whose labels have become equal are one, as long as only one of them has a value at each step.
 *
 * @throws PromqlError if two have one.
 */
export function* joined(vector: Vector, budget: Budget): Steps<Vector> {
  const byKey = new Map<string, StepSeries>();
  for (const series of vector) {
    const key = keyOf(series.labels);
    const first = byKey.get(key);
    if (first === undefined) byKey.set(key, series);
    else byKey.set(key, yield* union(first, series, budget));
    if (budget.spend(SERIES_STEPS)) yield;
  }
  return [...byKey.values()];
}

function* union(one: StepSeries, other: StepSeries, budget: Budget): Steps<StepSeries> {
  const both = { labels: one.labels, values: one.values.slice(), known: one.known.slice() };
  yield* budget.inParts(other.known.length, (from, to) => {
    for (let step = from; step < to; step++) {
      if (other.known[step] === 0) continue;
      if (both.known[step] === 1) throw new PromqlError('execution', SAME_LABELS);
      put(both, step, other.values[step] as number);
    }
  });
  return both;
}

/** @throws PromqlError if two series with values have the same labels, even at different steps. */
export function* distinct(vector: Vector, budget: Budget): Steps<Vector> {
  const present = vector.filter(hasValues);
  const keys = new Set<string>();
  for (const { labels } of present) {
    keys.add(keyOf(labels));
    if (budget.spend(SERIES_STEPS)) yield;
  }
  if (keys.size < present.length) throw new PromqlError('execution', SAME_LABELS);
  return present;
}
