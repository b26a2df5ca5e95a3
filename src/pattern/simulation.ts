import type { Assertion } from './node.ts';
import { PositionSet } from './position-set.ts';
import type { Instruction } from './program.ts';

/** In place of a character: the begin or the end of a text. */
export const NO_CHARACTER = -1;

/** All possibilities of a match at one place of a text, without groups. A character costs one look at each of them. */
export class Simulation {
  readonly #program: FlatProgram;
  readonly #isSearch: boolean;
  /** Where the possibilities are behind the last character. */
  #current: PositionSet;
  #next: PositionSet;
  /** The current positions, and those that are reached from them without a character. */
  readonly #open: PositionSet;

  /** @param isSearch true if the pattern may begin and end anywhere in a text. */
  constructor(program: readonly Instruction[], isSearch: boolean) {
    this.#program = new FlatProgram(program);
    this.#isSearch = isSearch;
    this.#current = new PositionSet(program.length);
    this.#next = new PositionSet(program.length);
    this.#open = new PositionSet(program.length);
  }

  /** Continues with these positions. */
  load(positions: Uint16Array): void {
    this.#current.load(positions);
  }

  /** A sorted copy of the positions. */
  copy(): Uint16Array {
    return this.#current.sorted();
  }

  /** How many small steps the last call took. */
  get steps(): number {
    return this.#open.size + 1;
  }

  /**
   * Reads the character between `before` and the next one, or the end.
   *
   * @returns the answer, if what follows does not matter.
   */
  advance(before: number, after: number): boolean | undefined {
    const next = this.#next;
    next.clear();
    if (this.#reachesEnd(before, after, next)) return true;
    this.#next = this.#current;
    this.#current = next;
    return next.size === 0 && !this.#isSearch ? false : undefined;
  }

  /** True if the text may end here. */
  mayEnd(before: number): boolean {
    return this.#reachesEnd(before, NO_CHARACTER, this.#next);
  }

  #reachesEnd(before: number, after: number, next: PositionSet): boolean {
    const { kinds, first, characters } = this.#program;
    const mayEnd = this.#isSearch || after === NO_CHARACTER;
    const open = this.#open;
    open.copyFrom(this.#current);
    if (this.#isSearch) open.add(0);
    for (let i = 0; i < open.size; i++) {
      const position = open.positions[i] as number;
      const kind = kinds[position] as number;
      if (kind === CHARACTER) {
        const isFit = after !== NO_CHARACTER && characters[first[position] as number]?.(after) === true;
        if (isFit) next.add(position + 1);
      } else if (kind === END) {
        if (mayEnd) return true;
      } else this.#follow(position, before, after);
    }
    return false;
  }

  /** Opens what is behind an instruction that needs no character. */
  #follow(position: number, before: number, after: number): void {
    const { kinds, first, second, assertions } = this.#program;
    const to = first[position] as number;
    const kind = kinds[position] as number;
    if (kind === ASSERTION) {
      if (assertions[to]?.(before, after) === true) this.#open.add(position + 1);
      return;
    }
    this.#open.add(to);
    if (kind === SPLIT) this.#open.add(second[position] as number);
  }
}

const CHARACTER = 0;
const SPLIT = 1;
const JUMP = 2;
const ASSERTION = 3;
const END = 4;

/** A program in columns. */
class FlatProgram {
  readonly kinds: Uint8Array;
  /** The next position, or an index in one of the lists below. */
  readonly first: Uint16Array;
  readonly second: Uint16Array;
  readonly characters: ((code: number) => boolean)[] = [];
  readonly assertions: Assertion[] = [];

  constructor(program: readonly Instruction[]) {
    this.kinds = new Uint8Array(program.length);
    this.first = new Uint16Array(program.length);
    this.second = new Uint16Array(program.length);
    for (const [position, instruction] of program.entries()) this.#add(position, instruction);
  }

  #add(position: number, instruction: Instruction): void {
    switch (instruction.kind) {
      case 'character':
        this.#set(position, CHARACTER, this.characters.push(instruction.fits) - 1);
        break;
      case 'assertion':
        this.#set(position, ASSERTION, this.assertions.push(instruction.holds) - 1);
        break;
      case 'split':
        this.#set(position, SPLIT, instruction.first);
        this.second[position] = instruction.second;
        break;
      case 'jump':
        this.#set(position, JUMP, instruction.to);
        break;
      case 'save':
        this.#set(position, JUMP, position + 1);
        break;
      case 'end':
        this.#set(position, END, 0);
    }
  }

  #set(position: number, kind: number, first: number): void {
    this.kinds[position] = kind;
    this.first[position] = first;
  }
}
