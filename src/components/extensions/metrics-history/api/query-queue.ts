/** Queries wait for each other: together they would be no faster, and need the memory of all. */
export class QueryQueue {
  readonly #maxWaiting: number;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting;
  }

  /** Undefined if too many are waiting. */
  async run<T>(query: () => Promise<T>): Promise<T | undefined> {
    if (this.#waiting >= this.#maxWaiting) return undefined;
    this.#waiting++;
    const result = this.#last.then(query).finally(() => this.#waiting--);
    this.#last = result.catch(() => undefined);
    return await result;
  }
}
