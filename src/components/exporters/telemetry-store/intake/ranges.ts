/** Where parts of a message are, for parts that are read later. Reused, so that a request makes no objects. */
export class Ranges {
  readonly #limit: number;
  readonly #bounds: number[] = [];
  #count = 0;
  #beyond = 0;

  /** @param limit more ranges are only counted. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get count(): number {
    return this.#count;
  }

  /** How many ranges were beyond the limit. */
  get beyond(): number {
    return this.#beyond;
  }

  clear(): void {
    this.#count = this.#beyond = 0;
  }

  add(start: number, end: number): void {
    if (this.#count === this.#limit) {
      this.#beyond++;
      return;
    }
    this.#bounds[2 * this.#count] = start;
    this.#bounds[2 * this.#count + 1] = end;
    this.#count++;
  }

  start(index: number): number {
    return this.#bounds[2 * index] as number;
  }

  end(index: number): number {
    return this.#bounds[2 * index + 1] as number;
  }
}
