import { SteadyWork } from '../../../../pattern/steady-work.ts';
import type { Work } from '../../../../pattern/work.ts';

/** All patterns and values of one trace together: some tenths of a second at most. */
const MAX_STEPS = 10_000_000;

/** The work of the patterns of all policies for one trace. Its measure is steps, so that each machine decides equally. */
export class TraceWork implements Work {
  readonly #pauses = new SteadyWork();
  #steps = 0;

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
    return this.#pauses.spend(steps);
  }
}
