import { grow, resized } from '../../../../engine/columns/grow.ts';

const FIRST_WORDS = 512;

/** Numbers of 16 bits, one after the other. */
export class Words {
  #words = new Uint16Array(FIRST_WORDS);
  #length = 0;

  static from(words: Uint16Array): Words {
    const copy = new Words();
    copy.#words = words.slice();
    copy.#length = words.length;
    return copy;
  }

  /** After `seal`. */
  get content(): Uint16Array {
    return this.#words;
  }

  get length(): number {
    return this.#length;
  }

  get heldBytes(): number {
    return this.#words.byteLength;
  }

  at(index: number): number {
    return this.#words[index] as number;
  }

  push(word: number): void {
    if (this.#length === this.#words.length) this.#words = grow(this.#words);
    this.#words[this.#length++] = word;
  }

  /** Replaces a number, for one that is known later. */
  set(index: number, word: number): void {
    this.#words[index] = word;
  }

  seal(): void {
    this.#words = resized(this.#words, this.#length);
  }
}
