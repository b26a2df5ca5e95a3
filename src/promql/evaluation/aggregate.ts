import { SERIES_STEPS, type Budget, type Steps } from '../budget.ts';
import { keyOf, withLabel, type Labels } from '../labels.ts';
import { PromqlError } from '../promql-error.ts';
import type { Grouping } from '../syntax/expression.ts';
import { decimalText } from './decimal-text.ts';
import { GroupLabels } from './grouping.ts';
import { byValue, quantileOf } from './quantile.ts';
import { EmptySeries, put, type StepSeries, type Vector } from './vector.ts';

interface Group {
  readonly labels: Labels;
  readonly members: StepSeries[];
}

/** One value for the values of a group; the parameter is that of the step. */
type Reduction = (values: Float64Array, parameter: number) => number;

export const reductions = {
  sum,
  avg: average,
  min: (values) => extreme(values, (value, best) => value < best),
  max: (values) => extreme(values, (value, best) => value > best),
  count: ({ length }) => length,
  group: () => 1,
  stddev: (values) => Math.sqrt(variance(values)),
  stdvar: variance,
  quantile: (values, quantile) => quantileOf(quantile, values),
} satisfies Readonly<Record<string, Reduction>>;

export type ReductionName = keyof typeof reductions;

export function* reduceGroups(
  vector: Vector,
  { grouping, name, parameters }: Grouped & { readonly name: ReductionName; readonly parameters: Float64Array },
  budget: Budget,
): Steps<Vector> {
  const reduce: Reduction = reductions[name];
  const results: StepSeries[] = [];
  const groups = yield* groupsOf(vector, grouping, budget);
  const empty = new EmptySeries(parameters.length, groups.length);
  for (const { labels, members } of groups) {
    const result = empty.next(labels);
    const column = new Float64Array(members.length);
    const reduceSteps = (from: number, to: number): void => {
      for (let step = from; step < to; step++) {
        const present = presentAt(step, members, column);
        if (present.length > 0) put(result, step, reduce(present, parameters[step] as number));
      }
    };
    yield* budget.inParts(parameters.length, reduceSteps, 1 + members.length * REDUCTION_STEPS);
    results.push(result);
  }
  return results;
}

/** The values at a step, within the column. */
function presentAt(step: number, members: readonly StepSeries[], column: Float64Array): Float64Array {
  let count = 0;
  for (const { values, known } of members) if (known[step] === 1) column[count++] = values[step] as number;
  return count === column.length ? column : column.subarray(0, count);
}

/** The slowest reduction sorts, which costs this many small steps for each value. */
const REDUCTION_STEPS = 8;

interface Grouped {
  readonly grouping: Grouping;
}

function* groupsOf(vector: Vector, grouping: Grouping, budget: Budget): Steps<readonly Group[]> {
  const groupLabels = new GroupLabels(grouping);
  const groups = new Map<string, Group>();
  for (const series of vector) {
    const key = groupLabels.keyOf(series.labels);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { labels: groupLabels.of(series.labels), members: [series] });
    else group.members.push(series);
    if (budget.spend(SERIES_STEPS)) yield;
  }
  return [...groups.values()];
}

/** The largest or smallest elements of each group, which keep their labels; at a single step in their order. */
export function* selectFirst(
  vector: Vector,
  { grouping, isLargest, counts }: Grouped & { readonly isLargest: boolean; readonly counts: Float64Array },
  budget: Budget,
): Steps<Vector> {
  const selected = new Map<StepSeries, StepSeries>();
  const empty = new EmptySeries(counts.length, 1);
  for (const { members } of yield* groupsOf(vector, grouping, budget)) {
    for (const [step, count] of counts.entries()) {
      const present = members.filter(({ known }) => known[step] === 1);
      const valueOf = ({ values }: StepSeries): number => values[step] as number;
      const ordered = present.toSorted((a, b) => inOrder(valueOf(a), valueOf(b), isLargest));
      for (const series of ordered.slice(0, wholeNumber(count))) {
        const result = selected.get(series) ?? empty.next(series.labels);
        put(result, step, valueOf(series));
        selected.set(series, result);
      }
      if (budget.spend(1 + members.length * REDUCTION_STEPS)) yield;
    }
  }
  return [...selected.values()];
}

/** NaN last, in both directions. */
export function inOrder(a: number, b: number, isDescending: boolean): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return isDescending ? byValue(b, a) : byValue(a, b);
}

function wholeNumber(count: number): number {
  if (!(Math.abs(count) < 2 ** 63)) throw new PromqlError('execution', `${count} is not a number of elements`);
  return Math.max(0, Math.trunc(count));
}

/** How many elements have each value, which is the label. */
export function* countValues(
  vector: Vector,
  { grouping, label }: Grouped & { readonly label: string },
  budget: Budget,
): Steps<Vector> {
  const withValue = grouping.isOnly ? { ...grouping, labels: [...grouping.labels, label] } : grouping;
  const groupLabels = new GroupLabels(withValue);
  const counts = new Map<string, StepSeries>();
  const empty = new EmptySeries(vector[0]?.values.length ?? 0, 1);
  for (const { labels, values, known } of vector) {
    for (const [step, isKnown] of known.entries()) {
      if (isKnown === 0) continue;
      const text = decimalText(values[step] as number);
      const group = groupLabels.of(withLabel(labels, label, text));
      const key = keyOf(group);
      let count = counts.get(key);
      if (count === undefined) {
        budget.label(text.length);
        // Each value is a series with a place for every step.
        budget.take(known.length);
        count = empty.next(group);
        counts.set(key, count);
      }
      put(count, step, (count.values[step] as number) + 1);
      if (budget.spend(SERIES_STEPS)) yield;
    }
  }
  return [...counts.values()];
}

function sum(values: Float64Array): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i] as number;
  return total;
}

function extreme(values: Float64Array, isBetter: (value: number, best: number) => boolean): number {
  let best = values[0] as number;
  for (let i = 1; i < values.length; i++) {
    const value = values[i] as number;
    if (isBetter(value, best) || Number.isNaN(best)) best = value;
  }
  return best;
}

function average(values: Float64Array): number {
  let mean = values[0] as number;
  for (let i = 1; i < values.length; i++) {
    const value = values[i] as number;
    if (Math.abs(mean) === Infinity && (Number.isFinite(value) || value === mean)) continue;
    mean += value / (i + 1) - mean / (i + 1);
  }
  return mean;
}

function variance(values: Float64Array): number {
  let [mean, squares] = [values[0] as number, 0];
  for (let i = 1; i < values.length; i++) {
    const distance = (values[i] as number) - mean;
    mean += distance / (i + 1);
    squares += distance * ((values[i] as number) - mean);
  }
  return squares / values.length;
}
