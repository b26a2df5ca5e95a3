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
