import { isNewline, isWord } from './character.ts';
import type { CharacterSet } from './character-set.ts';
import type { Instruction } from './program.ts';

/** A class may be looked up in a table of this size. */
const MAX_CLASSES = 256;
const ASCII = 128;
const MAX_REMEMBERED = 4096;

/** Characters that are the same for a program are one class. So the table of the states that follow is small. */
export class CharacterClasses {
  /** For ASCII the class of each character, plus 1. */
  readonly #ofAscii = new Uint16Array(ASCII);
  readonly #ofOthers = new Map<number, number>();
  readonly #bySignature = new Map<string, number>();
  readonly #sets: readonly CharacterSet[];

  constructor(program: readonly Instruction[]) {
    const sets = new Set<CharacterSet>();
    for (const instruction of program) {
      if (instruction.kind === 'character') sets.add(instruction.fits);
      // Assertions look at these kinds of characters.
      else if (instruction.kind === 'assertion') sets.add(isNewline).add(isWord);
    }
    this.#sets = [...sets];
  }

  /** The class of a character; undefined if it has not been asked for, or is forgotten. */
  known(code: number): number | undefined {
    if (code >= ASCII) return this.#ofOthers.get(code);
    const known = this.#ofAscii[code] as number;
    return known === 0 ? undefined : known - 1;
  }

  /** How many small steps `find` takes. */
  get steps(): number {
    return this.#sets.length;
  }

  /** The class of a character; undefined if there are too many classes. */
  find(code: number): number | undefined {
    const signature = this.#signature(code);
    const found = this.#bySignature.get(signature) ?? this.#bySignature.size;
    if (found >= MAX_CLASSES) return undefined;
    this.#bySignature.set(signature, found);
    if (code < ASCII) this.#ofAscii[code] = found + 1;
    else {
      if (this.#ofOthers.size >= MAX_REMEMBERED) this.#ofOthers.clear();
      this.#ofOthers.set(code, found);
    }
    return found;
  }

  /** One bit for each set. */
  #signature(code: number): string {
    let signature = '';
    let bits = 0;
    for (const [i, fits] of this.#sets.entries()) {
      if (fits(code)) bits |= 1 << (i % BITS);
      if (i % BITS !== BITS - 1) continue;
      signature += String.fromCharCode(bits);
      bits = 0;
    }
    return signature + String.fromCharCode(bits);
  }
}

/** The number of bits in a character of a text. */
const BITS = 16;
