import type { Work } from './work.ts';

/** A small step takes some nanoseconds, so all of these are far shorter than a slice of time. */
const STEPS_BETWEEN_PAUSES = 4096;

/** Work that yields at short intervals, without a limit. */
export class SteadyWork implements Work {
  #stepsSincePause = 0;

  spend(steps: number): boolean {
    this.#stepsSincePause += steps;
    if (this.#stepsSincePause < STEPS_BETWEEN_PAUSES) return false;
    this.#stepsSincePause = 0;
    return true;
  }
}
