import { resized } from '../../../../engine/columns/grow.ts';

/** The least length of a column. */
export const FIRST_SIZE = 1024;

/** Assigns numbers to the rows of a table. Numbers are reused, and moves close the gaps, so that columns stay short. */
export class RowNumbers {
  #end = 0;
  #count = 0;
  #isUsed = new Uint8Array(FIRST_SIZE);
  /** All unused numbers below `end`, and others: a number is checked when it is taken. */
  #unused: number[] = [];

  /** All numbers in use are below this one. */
  get end(): number {
    return this.#end;
  }

  get count(): number {
    return this.#count;
  }

  /** The length for columns of the table that have a length of `current`. */
  lengthFor(current: number): number {
    const isFitting = this.#end <= current && this.#end * 4 >= current;
    return isFitting ? current : 2 ** Math.ceil(Math.log2(Math.max(FIRST_SIZE, this.#end * 1.5)));
  }

  isUsed(number: number): boolean {
    return this.#isUsed[number] === 1;
  }

  take(): number {
    const number = this.#count < this.#end ? this.#takeUnused() : this.#end++;
    if (number >= this.#isUsed.length) this.#fit();
    this.#isUsed[number] = 1;
    this.#count++;
    return number;
  }

  release(number: number): void {
    this.#isUsed[number] = 0;
    this.#count--;
    this.#unused.push(number);
  }

  /** The highest number in use, and an unused one below it, which is now in use. Undefined if there are no gaps. */
  nextMove(): { readonly from: number; readonly to: number } | undefined {
    while (this.#end > 0 && !this.isUsed(this.#end - 1)) this.#end--;
    if (this.#count < this.#end) return { from: this.#end - 1, to: this.take() };
    this.#unused = [];
    this.#fit();
    return undefined;
  }

  #fit(): void {
    const length = this.lengthFor(this.#isUsed.length);
    if (length !== this.#isUsed.length) this.#isUsed = resized(this.#isUsed, length);
  }

  #takeUnused(): number {
    for (;;) {
      const number = this.#unused.pop() as number;
      if (number < this.#end && !this.isUsed(number)) return number;
    }
  }
}
