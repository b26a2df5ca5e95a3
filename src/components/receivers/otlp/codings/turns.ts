/** A connection, as the owner of work. */
export type Owner = object;

/** After this many other turns, work that expands a lot has one. */
const PATIENCE = 4;

/**
 * Runs one piece of work after another. Owners take turns, so that one with much work does not make the others wait. Work
 * that is known to expand a lot waits for the rest, but not forever.
 */
export class Turns {
  readonly #ordinary = new Lane();
  readonly #expanding = new Lane();
  #turnsOfOthers = 0;
  #isRunning = false;

  async run<T>(work: () => Promise<T>, { owner, expands }: { owner: Owner; expands: boolean }): Promise<T> {
    if (this.#isRunning) await (expands ? this.#expanding : this.#ordinary).wait(owner);
    this.#isRunning = true;
    try {
      return await work();
    } finally {
      this.#next();
    }
  }

  #next(): void {
    const isDue = this.#turnsOfOthers >= PATIENCE || this.#ordinary.isEmpty;
    const expanding = isDue ? this.#expanding.next() : undefined;
    this.#turnsOfOthers = expanding === undefined ? this.#turnsOfOthers + 1 : 0;
    const begin = expanding ?? this.#ordinary.next();
    // New work waits until the work whose turn it is has ended.
    this.#isRunning = begin !== undefined;
    begin?.();
  }
}

/** Waiting work, by its owners in the order of their turns. */
class Lane {
  readonly #owners = new Map<Owner, (() => void)[]>();

  get isEmpty(): boolean {
    return this.#owners.size === 0;
  }

  /** Resolves when it is the turn of this work. */
  wait(owner: Owner): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = this.#owners.get(owner);
    if (waiting === undefined) this.#owners.set(owner, [resolve]);
    else waiting.push(resolve);
    return promise;
  }

  next(): (() => void) | undefined {
    for (const [owner, waiting] of this.#owners) {
      const begin = waiting.shift();
      this.#owners.delete(owner);
      if (waiting.length > 0) this.#owners.set(owner, waiting);
      return begin;
    }
    return undefined;
  }
}
