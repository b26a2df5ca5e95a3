/** A step of work; a caller may do something else meanwhile. */
export type Steps<T> = Generator<undefined, T>;

/** Counts what a match costs. */
export interface Work {
  /**
   * Counts small steps, such as one character or one state; each takes some nanoseconds.
   *
   * @returns true if it is time to yield.
   */
  spend(steps: number): boolean;
}
