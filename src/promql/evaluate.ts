import { Budget, type EvaluationLimits, type Steps } from './budget.ts';
import { PromqlError } from './promql-error.ts';
import type { SeriesSource } from './series-source.ts';
import { Evaluation, type ResultSeries } from './evaluation/evaluation.ts';
import { repeatedIn } from './evaluation/repeated.ts';
import { hasValues, valuesPresent, type Vector } from './evaluation/vector.ts';
import type { Expression, RangeSelector, Subquery } from './syntax/expression.ts';
import { parsePromql } from './syntax/parse-promql.ts';
import { typeName, valueTypeOf } from './syntax/value-type.ts';

export interface EvaluationSettings extends EvaluationLimits {
  /** How old a sample may be to count as the value of a moment, in milliseconds. Prometheus: five minutes. */
  readonly lookbackMs: number;
  /** The step of subqueries that have none, in milliseconds. Prometheus: the interval of its rules. */
  readonly subqueryStepMs: number;
}

/** The samples, settings and limits of one evaluation. */
export interface EvaluationContext {
  readonly source: SeriesSource;
  readonly settings: EvaluationSettings;
  readonly budget: Budget;
}

export type InstantResult =
  | { readonly type: 'scalar'; readonly value: number }
  | { readonly type: 'string'; readonly text: string }
  /** Each series has one value. */
  | { readonly type: 'vector'; readonly series: readonly ResultSeries[] }
  | { readonly type: 'matrix'; readonly series: readonly ResultSeries[] };

/** The moments of a range query, in Unix milliseconds: from the first, every `stepMs`, to the last one before the end. */
export interface QuerySteps {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

/** As in Prometheus, where more could not be drawn. */
export const MAX_STEPS = 11_000;

/**
 * The value of an expression at one moment.
 *
 * @returns the work in steps, which `inSlices` divides.
 * @throws PromqlError
 */
export function* evaluateAt(
  text: string,
  atMs: number,
  source: SeriesSource,
  settings: EvaluationSettings,
): Steps<InstantResult> {
  const budget = new Budget(settings);
  return yield* valueAt(yield* parsePromql(text, budget), atMs, { source, settings, budget });
}

/**
 * The value of a parsed expression at one moment.
 *
 * @throws PromqlError
 */
export function* valueAt(
  expression: Expression,
  atMs: number,
  { source, settings, budget }: EvaluationContext,
): Steps<InstantResult> {
  if (expression.kind === 'string') return { type: 'string', text: expression.text };
  const repeated = yield* repeatedIn(expression, budget);
  const context = { ...settings, source, startMs: atMs, endMs: atMs, budget, repeated };
  const evaluation = new Evaluation(Float64Array.of(atMs), context);
  switch (valueTypeOf(expression)) {
    case 'scalar':
      return { type: 'scalar', value: (yield* evaluation.scalar(expression))[0] as number };
    case 'vector':
      return {
        type: 'vector',
        series: yield* resultOf(yield* evaluation.vector(expression), Float64Array.of(atMs), budget),
      };
    case 'matrix':
    case 'string':
      return { type: 'matrix', series: yield* evaluation.matrix(expression as RangeSelector | Subquery) };
  }
}

/** The values of an expression at each step. A number is a series without labels. */
export function* evaluateOver(
  text: string,
  { startMs, endMs, stepMs }: QuerySteps,
  source: SeriesSource,
  settings: EvaluationSettings,
): Steps<readonly ResultSeries[]> {
  if (!(stepMs > 0)) throw new PromqlError('bad_data', 'the step must be greater than 0');
  if (endMs < startMs) throw new PromqlError('bad_data', 'the end is before the start');
  const count = Math.floor((endMs - startMs) / stepMs) + 1;
  if (count > MAX_STEPS)
    throw new PromqlError('bad_data', `there are more than ${MAX_STEPS} steps: choose a longer step`);
  const budget = new Budget(settings);
  const expression = yield* parsePromql(text, budget);
  const type = valueTypeOf(expression);
  if (type === 'matrix' || type === 'string') {
    throw new PromqlError('bad_data', `a range query needs a number or an instant vector, not ${typeName(type)}`);
  }
  const stepsMs = new Float64Array(count).map((_, index) => startMs + index * stepMs);
  const repeated = yield* repeatedIn(expression, budget);
  const context = { ...settings, source, startMs, endMs, budget, repeated };
  const evaluation = new Evaluation(stepsMs, context);
  if (type === 'vector') return yield* resultOf(yield* evaluation.vector(expression), stepsMs, budget);
  return [{ labels: new Map(), timesMs: stepsMs, values: yield* evaluation.scalar(expression) }];
}

function* resultOf(vector: Vector, stepsMs: Float64Array, budget: Budget): Steps<readonly ResultSeries[]> {
  const results: ResultSeries[] = [];
  for (const series of vector.filter(hasValues)) {
    results.push({ labels: series.labels, ...(yield* valuesPresent(series, stepsMs, budget)) });
  }
  return results;
}
