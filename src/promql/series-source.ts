import type { Budget, Steps } from './budget.ts';
import type { Labels } from './labels.ts';
import type { Matcher } from './matcher.ts';

/** Where an evaluation finds its samples. */
export interface SeriesSource {
  /**
   * The series that fit all matchers and may have samples within the time, both ends included, sorted by labels.
   *
   * @throws PromqlError if there are more than the budget has.
   */
  select(matchers: readonly Matcher[], time: TimeRange, budget: Budget): Steps<readonly StoredSeries[]>;
}

/** Unix time in milliseconds. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface StoredSeries {
  readonly labels: Labels;
  /** The samples within the time, and possibly others. The caller owns the arrays. */
  samples(time: TimeRange): Samples;
}

/** Samples in the order of their time. */
export interface Samples {
  /** Unix time in milliseconds; increasing. */
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
  /** 1 where the series has ended instead of having a value (a staleness marker). */
  readonly ended: Uint8Array;
}
