import { SERIES_STEPS, type Budget, type Steps } from '../budget.ts';
import { NO_LABELS, withoutName, type Labels } from '../labels.ts';
import type { SeriesSource, StoredSeries } from '../series-source.ts';
import {
  isSetOperator,
  type Aggregation,
  type Binary,
  type Call,
  type Expression,
  type RangeSelector,
  type Shift,
  type Subquery,
  type StringLiteral,
  type VectorSelector,
} from '../syntax/expression.ts';

import { valueTypeOf } from '../syntax/value-type.ts';
import { countValues, inOrder, reduceGroups, selectFirst } from './aggregate.ts';
import { scalarWithScalar, setOperation, vectorWithScalar, vectorWithVector } from './binary.ts';
import { histogramQuantiles } from './histogram-quantile.ts';
import { joinLabels, labelsOfAbsent, replaceLabel } from './label-functions.ts';
import { rangeFunctions } from './range-functions.ts';
import { valueFunctions } from './value-functions.ts';
import {
  distinct,
  eachStep,
  EmptySeries,
  joined,
  valuesPresent,
  put,
  seriesOf,
  type StepSeries,
  type Vector,
} from './vector.ts';
import { SlidingWindow, withoutEnds, type Window } from './window.ts';

/** All parts of a query share it. */
export interface QueryContext {
  readonly source: SeriesSource;
  /** The first and the last step of the whole query, in Unix milliseconds. */
  readonly startMs: number;
  readonly endMs: number;
  /** How old a sample may be to count as the value of a moment. */
  readonly lookbackMs: number;
  /** The step of subqueries without one. */
  readonly subqueryStepMs: number;
  readonly budget: Budget;
  /** The expressions that are evaluated once, although they are written several times. */
  readonly repeated: ReadonlyMap<Expression, number>;
}

/** The values of a series, with their times as Unix time in milliseconds. */
export interface ResultSeries {
  readonly labels: Labels;
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
}

interface RangeSeries {
  readonly labels: Labels;
  readonly window: SlidingWindow;
}

/** Evaluates at all steps together: every expression is a table of its series and the steps. */
export class Evaluation {
  readonly #stepsMs: Float64Array;
  readonly #context: QueryContext;
  /** The values of repeated expressions, by their numbers. */
  readonly #known = new Map<number, Vector>();

  /** @param stepsMs in Unix time; increasing. */
  constructor(stepsMs: Float64Array, context: QueryContext) {
    this.#stepsMs = stepsMs;
    this.#context = context;
  }

  *scalar(expression: Expression): Steps<Float64Array> {
    if (this.#context.budget.spend(this.#stepsMs.length)) yield;
    switch (expression.kind) {
      case 'number':
        return this.#constant(expression.value);
      case 'negation':
        return yield* eachStep(yield* this.scalar(expression.of), (value) => -value, this.#context.budget);
      case 'binary': {
        const left = yield* this.scalar(expression.left);
        return yield* scalarWithScalar(
          expression,
          { left, right: yield* this.scalar(expression.right) },
          this.#context.budget,
        );
      }
      case 'call':
        return yield* this.#scalarCall(expression);
      case 'string':
      case 'selector':
      case 'range':
      case 'subquery':
      case 'aggregation':
        throw new Error(`${expression.kind} is not a number`);
    }
  }

  *vector(expression: Expression): Steps<Vector> {
    const { repeated, budget } = this.#context;
    const number = repeated.get(expression);
    if (number === undefined) return yield* this.#evaluated(expression);
    const known = this.#known.get(number);
    if (known !== undefined) return known;
    const vector = yield* this.#evaluated(expression);
    // They are kept while the rest is evaluated.
    budget.take(vector.length * this.#stepsMs.length);
    this.#known.set(number, vector);
    return vector;
  }

  *#evaluated(expression: Expression): Steps<Vector> {
    this.#context.budget.take(this.#stepsMs.length);
    yield;
    switch (expression.kind) {
      case 'selector':
        return yield* this.#selected(expression, (_timeMs, value) => value);
      case 'negation':
        return yield* negated(yield* this.vector(expression.of), this.#context.budget);
      case 'aggregation':
        return yield* this.#aggregated(expression);
      case 'binary':
        return yield* this.#combined(expression);
      case 'call':
        return yield* this.#called(expression);
      case 'number':
      case 'string':
      case 'range':
      case 'subquery':
        throw new Error(`${expression.kind} is not an instant vector`);
    }
  }

  /** The samples of a range at the first step. */
  *matrix(range: RangeSelector | Subquery): Steps<readonly ResultSeries[]> {
    const momentMs = (yield* this.#shifted(range.kind === 'range' ? range.of : range))[0] as number;
    const series = yield* this.#ranges(range);
    return series
      .map(({ labels, window }) => ({ labels, ...samplesIn(window.endingAt(momentMs, momentMs)) }))
      .filter(({ timesMs }) => timesMs.length > 0);
  }

  #constant(value: number): Float64Array {
    return new Float64Array(this.#stepsMs.length).fill(value);
  }

  *#scalarCall({ name, args }: Call): Steps<Float64Array> {
    if (name === 'pi') return this.#constant(Math.PI);
    if (name === 'time') return yield* this.#times();
    const vector = yield* this.vector(args[0] as Expression);
    const values = this.#constant(NaN);
    const readSteps = (from: number, to: number): void => {
      for (let step = from; step < to; step++) {
        const present = vector.filter(({ known }) => known[step] === 1);
        if (present.length === 1) values[step] = present[0]?.values[step] as number;
      }
    };
    yield* this.#context.budget.inParts(values.length, readSteps, 1 + vector.length);
    return values;
  }

  /** The moments that the steps look at. */
  *#shifted({ at, offsetMs }: Shift): Steps<Float64Array> {
    if (at === undefined) return yield* eachStep(this.#stepsMs, (ms) => ms - offsetMs, this.#context.budget);
    const { startMs, endMs } = this.#context;
    const times = { start: startMs, end: endMs };
    return this.#constant((typeof at === 'number' ? at : times[at]) - offsetMs);
  }

  *#selected(selector: VectorSelector, valueOf: (timeMs: number, value: number) => number): Steps<Vector> {
    const momentsMs = yield* this.#shifted(selector);
    const { lookbackMs } = this.#context;
    const time = { fromMs: (momentsMs[0] as number) - lookbackMs, toMs: momentsMs.at(-1) as number };
    const vector: StepSeries[] = [];
    const found = yield* this.#stored(selector, time);
    const empty = new EmptySeries(momentsMs.length, found.length);
    for (const stored of found) {
      const { timesMs, values, ended } = stored.samples(time);
      this.#context.budget.take(timesMs.length + momentsMs.length);
      yield;
      const series = empty.next(stored.labels);
      let next = 0;
      yield* this.#context.budget.inParts(momentsMs.length, (from, to) => {
        for (let step = from; step < to; step++) {
          const momentMs = momentsMs[step] as number;
          while (next < timesMs.length && (timesMs[next] as number) <= momentMs) next++;
          const last = next - 1;
          if (last < 0 || ended[last] === 1 || (timesMs[last] as number) < momentMs - lookbackMs) continue;
          put(series, step, valueOf(timesMs[last] as number, values[last] as number));
        }
      });
      vector.push(series);
    }
    return vector;
  }

  *#stored(
    { matchers }: VectorSelector,
    time: { readonly fromMs: number; readonly toMs: number },
  ): Steps<readonly StoredSeries[]> {
    const { source, budget } = this.#context;
    const stored = yield* source.select(matchers, time, budget);
    budget.checkSeries(stored.length);
    return stored;
  }

  *#ranges(expression: RangeSelector | Subquery): Steps<readonly RangeSeries[]> {
    const { rangeMs } = expression;
    const momentsMs = yield* this.#shifted(expression.kind === 'range' ? expression.of : expression);
    const time = { fromMs: (momentsMs[0] as number) - rangeMs, toMs: momentsMs.at(-1) as number };
    if (expression.kind === 'subquery') return yield* this.#subquery(expression, time);
    const series: RangeSeries[] = [];
    for (const stored of yield* this.#stored(expression.of, time)) {
      const samples = withoutEnds(stored.samples(time));
      this.#context.budget.take(samples.timesMs.length);
      yield;
      series.push({ labels: stored.labels, window: new SlidingWindow(samples, rangeMs) });
    }
    return series;
  }

  /** The steps of a subquery are multiples of its step since 1970. */
  *#subquery(
    { of, rangeMs, stepMs = this.#context.subqueryStepMs }: Subquery,
    { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  ): Steps<readonly RangeSeries[]> {
    const firstMs = Math.ceil(fromMs / stepMs) * stepMs;
    const count = Math.max(0, Math.floor((toMs - firstMs) / stepMs) + 1);
    this.#context.budget.take(count);
    if (count === 0) return [];
    const stepsMs = yield* eachStep(new Float64Array(count), (_, i) => firstMs + i * stepMs, this.#context.budget);
    const inner = yield* new Evaluation(stepsMs, this.#context).vector(of);
    const series: RangeSeries[] = [];
    for (const one of inner) {
      const samples = yield* valuesPresent(one, stepsMs, this.#context.budget);
      series.push({ labels: one.labels, window: new SlidingWindow(samples, rangeMs) });
    }
    return series;
  }

  *#called(call: Call): Steps<Vector> {
    const { name, args } = call;
    const { budget } = this.#context;
    const rangeIndex = args.findIndex(({ kind }) => kind === 'range' || kind === 'subquery');
    if (rangeIndex >= 0) return yield* this.#ofRange(call, args[rangeIndex] as RangeSelector | Subquery);
    const first = args[0];
    if (name === 'vector') return [seriesOf(NO_LABELS, yield* this.scalar(first as Expression))];
    if (name === 'timestamp') return yield* this.#timestamps(first as Expression);
    if (name === 'histogram_quantile') {
      const quantiles = yield* this.scalar(first as Expression);
      const buckets = yield* this.vector(args[1] as Expression);
      return yield* joined(yield* histogramQuantiles(quantiles, buckets, budget), budget);
    }
    const vector = first === undefined ? [seriesOf(NO_LABELS, yield* this.#times())] : yield* this.vector(first);
    if (name === 'absent') return yield* this.#absent(vector, first as Expression);
    if (name === 'sort' || name === 'sort_desc') return this.#sorted(vector, name === 'sort_desc');
    if (name === 'label_replace') return yield* replaceLabel(vector, call, budget);
    if (name === 'label_join') return yield* joinLabels(vector, call, budget);
    return yield* this.#ofValues(call, vector);
  }

  *#ofValues({ name, args }: Call, vector: Vector): Steps<Vector> {
    const compute = valueFunctions[name];
    if (compute === undefined) throw new Error(`${name} is not implemented`);
    // The second argument of `round` may be left out.
    const one = args[1] === undefined ? this.#constant(1) : yield* this.scalar(args[1]);
    const two = args[2] === undefined ? one : yield* this.scalar(args[2]);
    const { budget } = this.#context;
    const empty = new EmptySeries(this.#stepsMs.length, vector.length);
    const results: StepSeries[] = [];
    for (const { labels, values, known } of vector) {
      const result = empty.next(withoutName(labels));
      yield* budget.inParts(values.length, (from, to) => {
        for (let step = from; step < to; step++) {
          if (known[step] === 0) continue;
          const computed = compute(values[step] as number, one[step] as number, two[step] as number);
          if (computed !== undefined) put(result, step, computed);
        }
      });
      results.push(result);
      if (budget.spend(SERIES_STEPS)) yield;
    }
    return yield* joined(results, budget);
  }

  *#ofRange({ name, args }: Call, range: RangeSelector | Subquery): Steps<Vector> {
    const other = args.find((argument) => argument !== range);
    const parameters = other === undefined ? this.#constant(0) : yield* this.scalar(other);
    const momentsMs = yield* this.#shifted(range.kind === 'range' ? range.of : range);
    const compute = name === 'absent_over_time' ? (): number => 1 : rangeFunctions[name];
    if (compute === undefined) throw new Error(`${name} is not implemented`);
    const stepsMs = this.#stepsMs;
    const ranges = yield* this.#ranges(range);
    const empty = new EmptySeries(stepsMs.length, ranges.length);
    const results: StepSeries[] = [];
    for (const { labels, window } of ranges) {
      const result = empty.next(name === 'last_over_time' ? labels : withoutName(labels));
      const computeSteps = (from: number, to: number): void => {
        for (let step = from; step < to; step++) {
          const inside = window.endingAt(momentsMs[step] as number, stepsMs[step] as number);
          const value = inside.from === inside.to ? undefined : compute(inside, parameters[step] as number);
          if (value !== undefined) put(result, step, value);
        }
      };
      yield* this.#context.budget.inParts(momentsMs.length, computeSteps, 1 + window.mostSamples);
      results.push(result);
      this.#context.budget.take(momentsMs.length);
      yield;
    }
    return yield* name === 'absent_over_time' ? this.#absent(results, range) : distinct(results, this.#context.budget);
  }

  *#absent(vector: Vector, argument: Expression): Steps<Vector> {
    const result = new EmptySeries(this.#stepsMs.length, 1).next(labelsOfAbsent(argument));
    const findSteps = (from: number, to: number): void => {
      for (let step = from; step < to; step++) {
        if (!vector.some(({ known }) => known[step] === 1)) put(result, step, 1);
      }
    };
    yield* this.#context.budget.inParts(this.#stepsMs.length, findSteps, 1 + vector.length);
    return [result];
  }

  /** The times of the samples, which only a selector knows. */
  *#timestamps(of: Expression): Steps<Vector> {
    const vector =
      of.kind === 'selector'
        ? yield* this.#selected(of, (timeMs) => timeMs / 1000)
        : yield* this.#timesOf(yield* this.vector(of));
    const unnamed = vector.map((series) => ({ ...series, labels: withoutName(series.labels) }));
    return yield* joined(unnamed, this.#context.budget);
  }

  *#timesOf(vector: Vector): Steps<Vector> {
    const values = yield* this.#times();
    return vector.map((series) => ({ ...series, values }));
  }

  /** The times of the steps in Unix seconds. */
  *#times(): Steps<Float64Array> {
    return yield* eachStep(this.#stepsMs, (ms) => ms / 1000, this.#context.budget);
  }

  /** Only a single step has an order. */
  #sorted(vector: Vector, isDescending: boolean): Vector {
    if (this.#stepsMs.length > 1) return vector;
    const present = vector.filter(({ known }) => known[0] === 1);
    return present.toSorted((a, b) => inOrder(a.values[0] as number, b.values[0] as number, isDescending));
  }

  *#aggregated({ operator, grouping, parameter, of }: Aggregation): Steps<Vector> {
    const isNumber = parameter !== undefined && parameter.kind !== 'string';
    const parameters = isNumber ? yield* this.scalar(parameter) : this.#constant(0);
    const vector = yield* this.vector(of);
    const { budget } = this.#context;
    if (operator === 'count_values') {
      return yield* countValues(vector, { grouping, label: (parameter as StringLiteral).text }, budget);
    }
    if (operator === 'topk' || operator === 'bottomk') {
      return yield* selectFirst(vector, { grouping, isLargest: operator === 'topk', counts: parameters }, budget);
    }
    return yield* reduceGroups(vector, { grouping, name: operator, parameters }, budget);
  }

  *#combined(binary: Binary): Steps<Vector> {
    const { operator, left, right } = binary;
    const { budget } = this.#context;
    if (valueTypeOf(left) === 'scalar') {
      const scalars = yield* this.scalar(left);
      return yield* vectorWithScalar(binary, { vector: yield* this.vector(right), scalars, isLeft: true }, budget);
    }
    const leftVector = yield* this.vector(left);
    if (valueTypeOf(right) === 'scalar') {
      const scalars = yield* this.scalar(right);
      return yield* vectorWithScalar(binary, { vector: leftVector, scalars, isLeft: false }, budget);
    }
    const operands = { left: leftVector, right: yield* this.vector(right) };
    return yield* isSetOperator(operator)
      ? setOperation(binary, operands, budget)
      : vectorWithVector(binary, operands, budget);
  }
}

function samplesIn({ timesMs, values, from, to }: Window): Pick<ResultSeries, 'timesMs' | 'values'> {
  return { timesMs: timesMs.slice(from, to), values: values.slice(from, to) };
}

function* negated(vector: Vector, budget: Budget): Steps<Vector> {
  const results: StepSeries[] = [];
  for (const { labels, values, known } of vector) {
    const negative = yield* eachStep(values, (value) => -value, budget);
    results.push({ labels: withoutName(labels), values: negative, known });
    if (budget.spend(SERIES_STEPS)) yield;
  }
  return yield* distinct(results, budget);
}
