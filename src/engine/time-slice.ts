import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long the rest of the process waits. A request needs several turns of the event loop, and waits in each. */
const SLICE_MS = 2;

/** Divides long work into slices, so that other work runs between them. */
export class TimeSlice {
  #startMs = performance.now();

  get isOver(): boolean {
    return performance.now() - this.#startMs >= SLICE_MS;
  }

  /** Lets other work run if the slice is over. */
  async pause(): Promise<void> {
    if (!this.isOver) return;
    await nextTurn();
    this.#startMs = performance.now();
  }
}

/** Runs steps to their end. Other work runs between them. @returns what the generator returns. */
export async function inSlices<T>(steps: Generator<undefined, T>): Promise<T> {
  const slice = new TimeSlice();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (slice.isOver) await slice.pause();
  }
}

/** Runs steps to their end without a pause. */
export function atOnce<T>(steps: Generator<undefined, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
