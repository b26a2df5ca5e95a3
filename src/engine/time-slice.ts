import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long the rest of the process waits at a time. A request passes several turns on its way, and waits in each. */
const SLICE_MS = 2;

/** Long work does a slice and gives way to others, does the next and so on. */
export class TimeSlice {
  #startMs = performance.now();

  get isOver(): boolean {
    return performance.now() - this.#startMs >= SLICE_MS;
  }

  /** Lets others have their turn, if the slice is over. */
  async pause(): Promise<void> {
    if (!this.isOver) return;
    await nextTurn();
    this.#startMs = performance.now();
  }
}
