import { SteadyWork } from '../pattern/steady-work.ts';
import type { Steps } from '../pattern/work.ts';
import { PromqlError } from './promql-error.ts';

export type { Steps };

export interface EvaluationLimits {
  /** How many samples are read and values computed. */
  readonly maxSamples: number;
  readonly maxSeries: number;
  readonly timeoutMs: number;
}

/** A series costs this many small steps besides its values: its labels are read, copied or compared. */
export const SERIES_STEPS = 64;

/** Work of so many small steps is not divided. */
const PART_STEPS = 1024;

/** Characters that one label may get, and all labels of a query. */
const MAX_LABEL_LENGTH = 65_536;
const MAX_LABELS_LENGTH = 16 * 1024 * 1024;

/** Counts what one query uses of its limits. */
export class Budget {
  readonly #limits: EvaluationLimits;
  readonly #startMs = performance.now();
  readonly #pauses = new SteadyWork();
  #samples = 0;
  #labelsLength = 0;

  constructor(limits: EvaluationLimits) {
    this.#limits = limits;
  }

  /** @throws PromqlError if the query has taken too much or too long. */
  take(samples: number): void {
    this.#samples += samples;
    const { maxSamples } = this.#limits;
    if (this.#samples > maxSamples) {
      throw new PromqlError(
        'execution',
        `the query needs more than ${maxSamples} samples: choose fewer series or steps`,
      );
    }
    this.#checkTime();
  }

  /**
   * Counts small steps of work, such as one state of a pattern or one value.
   *
   * @returns true if it is time to yield.
   * @throws PromqlError if the query has taken too long.
   */
  spend(steps: number): boolean {
    if (!this.#pauses.spend(steps)) return false;
    this.#checkTime();
    return true;
  }

  /**
   * Runs work on values in parts: from one index to before another. A plain loop within a part is several times as fast as
   * one that can yield.
   *
   * @param cost the small steps of each value.
   * @throws PromqlError if the query has taken too long.
   */
  *inParts(values: number, run: (from: number, to: number) => void, cost = 1): Steps<void> {
    const most = Math.max(1, Math.floor(PART_STEPS / cost));
    for (let from = 0; from < values; from += most) {
      const to = Math.min(values, from + most);
      run(from, to);
      if (this.spend((to - from) * cost)) yield;
    }
  }

  /** Counts a label value before it is made. @throws PromqlError if it is too long, or all of them are. */
  label(length: number): void {
    this.#labelsLength += length;
    if (length > MAX_LABEL_LENGTH) {
      throw new PromqlError('execution', `a label gets more than ${MAX_LABEL_LENGTH} characters`);
    }
    if (this.#labelsLength > MAX_LABELS_LENGTH) {
      throw new PromqlError('execution', `the query makes labels of more than ${MAX_LABELS_LENGTH} characters`);
    }
  }

  checkSeries(count: number): void {
    const { maxSeries } = this.#limits;
    if (count > maxSeries) {
      throw new PromqlError('execution', `a selector finds more than ${maxSeries} series`);
    }
  }

  #checkTime(): void {
    const { timeoutMs } = this.#limits;
    if (performance.now() - this.#startMs > timeoutMs) {
      throw new PromqlError('timeout', `the query takes longer than ${timeoutMs / 1000} s`);
    }
  }
}
