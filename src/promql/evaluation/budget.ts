import { PromqlError } from '../promql-error.ts';

export interface EvaluationLimits {
  /** How many samples are read and values computed. */
  readonly maxSamples: number;
  readonly maxSeries: number;
  readonly timeoutMs: number;
}

/** Counts what one query uses of its limits. */
export class Budget {
  readonly #limits: EvaluationLimits;
  readonly #startMs = performance.now();
  #samples = 0;

  constructor(limits: EvaluationLimits) {
    this.#limits = limits;
  }

  /** @throws PromqlError if the query has taken too much or too long. */
  take(samples: number): void {
    this.#samples += samples;
    const { maxSamples, timeoutMs } = this.#limits;
    if (this.#samples > maxSamples) {
      throw new PromqlError(
        'execution',
        `the query needs more than ${maxSamples} samples: choose fewer series or steps`,
      );
    }
    if (performance.now() - this.#startMs > timeoutMs) {
      throw new PromqlError('timeout', `the query takes longer than ${timeoutMs / 1000} s`);
    }
  }

  checkSeries(count: number): void {
    const { maxSeries } = this.#limits;
    if (count > maxSeries) {
      throw new PromqlError('execution', `a selector finds more than ${maxSeries} series`);
    }
  }
}
