import { CharacterClasses } from './character-classes.ts';
import { isNewline, isWord, NEWLINE } from './character.ts';
import type { Instruction } from './program.ts';
import { NO_CHARACTER, Simulation } from './simulation.ts';
import type { Steps, Work } from './work.ts';

/**
 * A program as a deterministic automaton: all possibilities at one place of a text are one state, and a character leads
 * to the next state. States are made when a text needs them, and forgotten when they take too much memory, because a
 * pattern may have more of them than any memory has room for. A text that needs ever new states is read without them, so
 * each character costs at most a look at each instruction of the program.
 *
 * Several texts may be read at a time.
 */
export class Automaton {
  readonly #simulation: Simulation;
  readonly #classes: CharacterClasses;
  /** True if it matters what is before a place. */
  readonly #hasAssertions: boolean;
  readonly #maxBytes: number;
  readonly #states = new Map<string, State>();
  #sizeBytes = 0;
  /** Since states were forgotten. */
  #readCharacters = 0;

  /** @param isSearch true if the pattern may begin and end anywhere in a text. */
  constructor(program: readonly Instruction[], isSearch: boolean) {
    this.#simulation = new Simulation(program, isSearch);
    this.#classes = new CharacterClasses(program);
    this.#hasAssertions = program.some(({ kind }) => kind === 'assertion');
    this.#maxBytes = LEAST_BYTES + program.length * BYTES_PER_INSTRUCTION;
  }

  get fitsEmpty(): boolean {
    return this.#mayEnd(this.#begin());
  }

  *fits(text: string, work: Work): Steps<boolean> {
    const reading: Reading = { text, at: 0, state: this.#begin(), usesStates: true };
    while (reading.at < text.length && !isFinal(reading.state)) {
      const steps = reading.usesStates ? this.#read(reading) : this.#simulate(reading);
      if (work.spend(steps)) yield;
    }
    return this.#mayEnd(reading.state);
  }

  /** Reads for a slice of work. @returns how many small steps it took. */
  #read(reading: Reading): number {
    const { text } = reading;
    let { at, state } = reading;
    let steps = 0;
    while (at < text.length && steps < SLICE_STEPS) {
      const code = codeAt(text, at);
      at += code > LAST_OF_ONE_UNIT ? 2 : 1;
      steps++;
      const known = this.#classes.known(code);
      let next = known === undefined ? undefined : state.next[known];
      if (next === undefined) {
        next = this.#follow(state, code, reading);
        steps += this.#simulation.steps + (known === undefined ? this.#classes.steps : 0);
      }
      state = next;
      if (isFinal(state) || !reading.usesStates) break;
    }
    this.#readCharacters += at - reading.at;
    reading.at = at;
    reading.state = state;
    return steps;
  }

  /** The same without states. */
  #simulate(reading: Reading): number {
    const { text, state } = reading;
    this.#simulation.load(state.positions);
    let { before } = state;
    let answer: boolean | undefined;
    let steps = 0;
    while (reading.at < text.length && steps < SLICE_STEPS && answer === undefined) {
      const code = codeAt(text, reading.at);
      reading.at += code > LAST_OF_ONE_UNIT ? 2 : 1;
      answer = this.#simulation.advance(before, code);
      before = this.#kindOf(code);
      steps += this.#simulation.steps;
    }
    reading.state = answer === undefined ? stateOf(this.#simulation.copy(), before) : finalState(answer);
    return steps;
  }

  #follow(state: State, code: number, reading: Reading): State {
    const of = this.#classes.known(code) ?? this.#classes.find(code);
    const known = of === undefined ? undefined : state.next[of];
    if (known !== undefined) return known;
    this.#simulation.load(state.positions);
    const answer = this.#simulation.advance(state.before, code);
    const next = answer === undefined ? this.#remembered(this.#kindOf(code), reading) : finalState(answer);
    if (of === undefined) return next;
    state.next[of] = next;
    this.#sizeBytes += LINK_BYTES;
    return next;
  }

  /** The state of the simulation. */
  #remembered(before: number, reading: Reading): State {
    const positions = this.#simulation.copy();
    const key = String.fromCodePoint(before + 1, ...positions);
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    if (this.#sizeBytes > this.#maxBytes) {
      if (this.#readCharacters < this.#states.size * WORTHWHILE_READS) reading.usesStates = false;
      this.#states.clear();
      this.#sizeBytes = 0;
      this.#readCharacters = 0;
    }
    const state = stateOf(positions, before);
    this.#states.set(key, state);
    this.#sizeBytes += STATE_BYTES + positions.length * POSITION_BYTES;
    return state;
  }

  #begin(): State {
    const key = '';
    let state = this.#states.get(key);
    if (state === undefined) this.#states.set(key, (state = stateOf(Uint16Array.of(0), NO_CHARACTER)));
    return state;
  }

  #mayEnd(state: State): boolean {
    if (state.mayEnd !== undefined) return state.mayEnd;
    this.#simulation.load(state.positions);
    return (state.mayEnd = this.#simulation.mayEnd(state.before));
  }

  /** A character that is the same for assertions. */
  #kindOf(code: number): number {
    if (!this.#hasAssertions) return NO_CHARACTER;
    if (isNewline(code)) return NEWLINE;
    return isWord(code) ? WORD : OTHER;
  }
}

/** Between two looks at the budget. */
const SLICE_STEPS = 1024;
const LEAST_BYTES = 8192;
const BYTES_PER_INSTRUCTION = 512;
const STATE_BYTES = 300;
const LINK_BYTES = 12;
/** In the state, and in its key. */
const POSITION_BYTES = 4;
/** Making a state takes as long as reading this many characters. */
const WORTHWHILE_READS = 10;

const LAST_OF_ONE_UNIT = 0xff_ff;
const WORD = 0x61;
const OTHER = 0x20;

/** Where a match is in its text. */
interface Reading {
  readonly text: string;
  at: number;
  state: State;
  usesStates: boolean;
}

interface State {
  readonly positions: Uint16Array;
  /** The character before the place, or another one that is the same for assertions. */
  readonly before: number;
  /** The states that follow, by the class of the next character. */
  readonly next: State[];
  /** True if a text that ends here fits. */
  mayEnd: boolean | undefined;
}

function stateOf(positions: Uint16Array, before: number): State {
  return { positions, before, next: [], mayEnd: undefined };
}

/** In these, the rest of the text does not matter. */
const FITS: State = { ...stateOf(new Uint16Array(), NO_CHARACTER), mayEnd: true };
const FITS_NOT: State = { ...stateOf(new Uint16Array(), NO_CHARACTER), mayEnd: false };

function finalState(fits: boolean): State {
  return fits ? FITS : FITS_NOT;
}

function isFinal(state: State): boolean {
  return state === FITS || state === FITS_NOT;
}

function codeAt(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  const isFirstOfTwo = unit >= 0xd8_00 && unit <= 0xdb_ff;
  return isFirstOfTwo ? (text.codePointAt(at) as number) : unit;
}
