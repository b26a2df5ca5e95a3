import type { Budget, Steps } from '../../../../promql/budget.ts';
import { keyOf } from '../../../../promql/labels.ts';
import type { Matcher } from '../../../../promql/matcher.ts';
import type { Samples, SeriesSource, StoredSeries, TimeRange } from '../../../../promql/series-source.ts';

/** A source that knows from when to when it has samples. */
export interface TimedSource extends SeriesSource {
  readonly time: TimeRange | undefined;
}

/** The series of a fine history, continued into the past by coarser copies, and the series that only those have. */
export class JoinedSource implements TimedSource {
  readonly #fine: TimedSource;
  readonly #coarse: readonly SeriesSource[];

  /** @param coarse if several have the same series, the first counts. */
  constructor(fine: TimedSource, coarse: readonly SeriesSource[]) {
    this.#fine = fine;
    this.#coarse = coarse;
  }

  get time(): TimeRange | undefined {
    return this.#fine.time;
  }

  *select(matchers: readonly Matcher[], time: TimeRange, budget: Budget): Steps<readonly StoredSeries[]> {
    const found = new Map<string, StoredSeries>();
    for (const source of this.#coarse) {
      for (const series of yield* source.select(matchers, time, budget)) {
        const key = keyOf(series.labels);
        if (!found.has(key)) found.set(key, series);
      }
    }
    const fine = yield* this.#fine.select(matchers, time, budget);
    if (found.size === 0) return fine;
    for (const series of fine) {
      const key = keyOf(series.labels);
      const before = found.get(key);
      found.set(key, before === undefined ? series : this.#continued(before, series));
    }
    budget.checkSeries(found.size);
    const sorted = [...found].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return sorted.map(([, series]) => series);
  }

  #continued(before: StoredSeries, after: StoredSeries): StoredSeries {
    const sinceMs = this.#fine.time?.fromMs ?? Infinity;
    return {
      labels: after.labels,
      samples: (time) => joined(until(before.samples(time), sinceMs), after.samples(time)),
    };
  }
}

function until({ timesMs, values, ended }: Samples, endMs: number): Samples {
  const end = timesMs.findIndex((timeMs) => timeMs >= endMs);
  if (end < 0) return { timesMs, values, ended };
  return { timesMs: timesMs.subarray(0, end), values: values.subarray(0, end), ended: ended.subarray(0, end) };
}

function joined(first: Samples, second: Samples): Samples {
  if (first.timesMs.length === 0) return second;
  const { length } = first.timesMs;
  const total = length + second.timesMs.length;
  const samples = {
    timesMs: new Float64Array(total),
    values: new Float64Array(total),
    ended: new Uint8Array(total),
  };
  for (const [part, at] of [
    [first, 0],
    [second, length],
  ] as const) {
    samples.timesMs.set(part.timesMs, at);
    samples.values.set(part.values, at);
    samples.ended.set(part.ended, at);
  }
  return samples;
}
