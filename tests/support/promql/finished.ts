import { Budget, type EvaluationLimits, type Steps } from '../../../src/promql/budget.ts';

/** Runs work to its end. @returns its result, and how often other work could run meanwhile. */
export function finished<T>(steps: Steps<T>): { readonly value: T; readonly pauses: number } {
  for (let pauses = 0; ; pauses++) {
    const { done, value } = steps.next();
    if (done === true) return { value, pauses };
  }
}

export function budgetWith(limits: Partial<EvaluationLimits> = {}): Budget {
  return new Budget({ maxSamples: 10_000_000, maxSeries: 100_000, timeoutMs: 60_000, ...limits });
}
