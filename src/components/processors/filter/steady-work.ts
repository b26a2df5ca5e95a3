import type { Work } from '../../../pattern/work.ts';

/** Some hundredths of a millisecond. */
const STEPS_BETWEEN_PAUSES = 4096;

/** Work that yields at short intervals, without a limit: each value takes linear time, and its length has a limit. */
export class SteadyWork implements Work {
  #stepsSincePause = 0;

  spend(steps: number): boolean {
    this.#stepsSincePause += steps;
    if (this.#stepsSincePause < STEPS_BETWEEN_PAUSES) return false;
    this.#stepsSincePause = 0;
    return true;
  }
}
