import type { Work } from '../../../../pattern/work.ts';

/** All patterns and values of one trace together: some tenths of a second at most. */
const MAX_STEPS = 10_000_000;
/** Some hundredths of a millisecond. */
const STEPS_BETWEEN_PAUSES = 4096;

/** The work of the patterns of all policies for one trace. Its measure is steps, so that each machine decides equally. */
export class TraceWork implements Work {
  #steps = 0;
  #stepsSincePause = 0;

  /** Begins with the next trace. */
  open(): void {
    this.#steps = 0;
  }

  /** True if no further value may be compared. */
  get isSpent(): boolean {
    return this.#steps >= MAX_STEPS;
  }

  spend(steps: number): boolean {
    this.#steps += steps;
    this.#stepsSincePause += steps;
    if (this.#stepsSincePause < STEPS_BETWEEN_PAUSES) return false;
    this.#stepsSincePause = 0;
    return true;
  }
}
