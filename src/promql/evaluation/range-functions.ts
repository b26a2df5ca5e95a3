/** Functions of a range vector: one value for the samples of a series within a range. */
import type { FunctionName } from '../syntax/function-signature.ts';
import { KahanSum } from './kahan-sum.ts';
import { quantileOf } from './quantile.ts';
import type { Window } from './window.ts';

/** Undefined if there is no value. A window without samples is never given. */
type RangeFunction = (window: Window, parameter: number) => number | undefined;

export const rangeFunctions: Readonly<Partial<Record<FunctionName, RangeFunction>>> = {
  rate: (window) => extrapolated(window, { isCounter: true, perS: (window.endMs - window.startMs) / 1000 }),
  increase: (window) => extrapolated(window, { isCounter: true, perS: 1 }),
  delta: (window) => extrapolated(window, { isCounter: false, perS: 1 }),
  irate: (window) => lastChange(window, true),
  idelta: (window) => lastChange(window, false),
  deriv: (window) => (window.to - window.from < 2 ? undefined : regression(window, timeAt(window, window.from)).slope),
  predict_linear: predicted,
  changes: (window) =>
    steps(window, (before, after) => before !== after && !(Number.isNaN(before) && Number.isNaN(after))),
  resets: (window) => steps(window, (before, after) => after < before),
  avg_over_time: average,
  sum_over_time: sum,
  count_over_time: ({ from, to }) => to - from,
  last_over_time: ({ values, to }) => values[to - 1],
  present_over_time: () => 1,
  max_over_time: (window) => extreme(window, (value, best) => value > best),
  min_over_time: (window) => extreme(window, (value, best) => value < best),
  stddev_over_time: (window) => Math.sqrt(variance(window)),
  stdvar_over_time: variance,
  quantile_over_time: ({ values, from, to }, quantile) => quantileOf(quantile, values.slice(from, to)),
};

function timeAt({ timesMs }: Window, index: number): number {
  return timesMs[index] as number;
}

/** Samples are near enough to a limit of the range if they are not much farther from it than from each other. */
const NEAR = 1.1;

/** The change within the range, for each part of it that is so long. */
function extrapolated(
  window: Window,
  { isCounter, perS }: { readonly isCounter: boolean; readonly perS: number },
): number | undefined {
  const { values, from, to, startMs, endMs } = window;
  if (to - from < 2) return undefined;
  const first = values[from] as number;
  let change = (values[to - 1] as number) - first;
  if (isCounter) change = withResets(change, window);
  const coveredS = (timeAt(window, to - 1) - timeAt(window, from)) / 1000;
  const betweenS = coveredS / (to - from - 1);
  let toStartS = (timeAt(window, from) - startMs) / 1000;
  const toEndS = (endMs - timeAt(window, to - 1)) / 1000;
  if (isCounter && change > 0 && first >= 0) toStartS = Math.min(toStartS, coveredS * (first / change));
  const addedS = [toStartS, toEndS].map((s) => (s < betweenS * NEAR ? s : betweenS / 2));
  return change * ((coveredS + (addedS[0] as number) + (addedS[1] as number)) / coveredS / perS);
}

/** Adds what a counter lost when it began again, one after the other: the order decides about the last digit. */
function withResets(change: number, { values, from, to }: Window): number {
  let total = change;
  for (let i = from + 1; i < to; i++) {
    const before = values[i - 1] as number;
    if ((values[i] as number) < before) total += before;
  }
  return total;
}

function lastChange(window: Window, isRate: boolean): number | undefined {
  const { values, from, to } = window;
  if (to - from < 2) return undefined;
  const [before, after] = [values[to - 2] as number, values[to - 1] as number];
  const change = isRate && after < before ? after : after - before;
  const betweenMs = timeAt(window, to - 1) - timeAt(window, to - 2);
  return isRate ? change / (betweenMs / 1000) : change;
}

function steps({ values, from, to }: Window, counts: (before: number, after: number) => boolean): number {
  let count = 0;
  for (let i = from + 1; i < to; i++) if (counts(values[i - 1] as number, values[i] as number)) count++;
  return count;
}

function extreme({ values, from, to }: Window, isBetter: (value: number, best: number) => boolean): number {
  let best = values[from] as number;
  for (let i = from + 1; i < to; i++) {
    const value = values[i] as number;
    if (isBetter(value, best) || Number.isNaN(best)) best = value;
  }
  return best;
}

function sum({ values, from, to }: Window): number {
  const total = new KahanSum();
  for (let i = from; i < to; i++) total.add(values[i] as number);
  return isInfinite(total.raw) ? total.raw : total.total;
}

function average({ values, from, to }: Window): number {
  const mean = new KahanSum();
  for (let i = from; i < to; i++) {
    const value = values[i] as number;
    const count = i - from + 1;
    if (isInfinite(mean.raw) && (Number.isFinite(value) || value === mean.raw)) continue;
    mean.add(value / count - mean.raw / count);
  }
  return isInfinite(mean.raw) ? mean.raw : mean.total;
}

function isInfinite(value: number): boolean {
  return Math.abs(value) === Infinity;
}

function variance({ values, from, to }: Window): number {
  const mean = new KahanSum();
  const squares = new KahanSum();
  for (let i = from; i < to; i++) {
    const value = values[i] as number;
    const distance = value - mean.total;
    mean.add(distance / (i - from + 1));
    squares.add(distance * (value - mean.total));
  }
  return squares.total / (to - from);
}

function predicted(window: Window, afterS: number): number | undefined {
  if (window.to - window.from < 2) return undefined;
  const { slope, intercept } = regression(window, window.stepMs);
  return slope * afterS + intercept;
}

/** The straight line through the samples: its slope per second, and its value at a time. */
function regression(window: Window, atMs: number): { readonly slope: number; readonly intercept: number } {
  const { values, from, to } = window;
  const [x, y, xy, xx] = [new KahanSum(), new KahanSum(), new KahanSum(), new KahanSum()];
  const first = values[from] as number;
  let isConstant = true;
  for (let i = from; i < to; i++) {
    const value = values[i] as number;
    if (value !== first && i > from) isConstant = false;
    const seconds = (timeAt(window, i) - atMs) / 1000;
    x.add(seconds);
    y.add(value);
    xy.add(seconds * value);
    xx.add(seconds * seconds);
  }
  if (isConstant) return isInfinite(first) ? { slope: NaN, intercept: NaN } : { slope: 0, intercept: first };
  const count = to - from;
  const slope = (xy.total - (x.total * y.total) / count) / (xx.total - (x.total * x.total) / count);
  return { slope, intercept: y.total / count - (slope * x.total) / count };
}
