import type { Budget, Steps } from '../budget.ts';
import { parsePattern } from './parse-pattern.ts';
import { compile, type Instruction } from './program.ts';

const MAX_LENGTH = 4096;

/**
 * A regular expression in the syntax of RE2 that must fit a whole text. The time is at most proportional to the length of
 * the text, because all possibilities proceed together: patterns and texts come from others, and JavaScript's own
 * expressions may take for ever.
 */
export class Pattern {
  readonly #program: readonly Instruction[];
  readonly #groups: number;
  readonly #names: ReadonlyMap<string, number>;
  /** The choices, if there is nothing else to match. */
  readonly #texts: ReadonlySet<string> | undefined;

  /** @throws Error that describes what is wrong. */
  constructor(source: string) {
    if (source.length > MAX_LENGTH) throw new Error(`the pattern is longer than ${MAX_LENGTH} characters`);
    const { root, groups, names } = parsePattern(source);
    this.#program = compile(root);
    this.#groups = groups;
    this.#names = names;
    this.#texts = /^[\w |:/,-]*$/.test(source) ? new Set(source.split('|')) : undefined;
  }

  /** How many states a match may be in. */
  get size(): number {
    return this.#program.length;
  }

  /** How many groups it has, without the whole. */
  get groups(): number {
    return this.#groups;
  }

  get fitsEmpty(): boolean {
    const threads = new Threads(this.#program);
    threads.add(0, NO_GROUPS, { at: 0, before: -1, after: -1 });
    return this.#endOf(threads) !== undefined;
  }

  *fits(text: string, budget: Budget): Steps<boolean> {
    return this.#texts?.has(text) ?? (yield* this.#run(text, NO_GROUPS, budget)) !== undefined;
  }

  /** The text for a match, with `$1` and `${name}` replaced by groups; undefined if the pattern does not fit. */
  *expand(text: string, template: string, budget: Budget): Steps<string | undefined> {
    const slots = yield* this.#run(text, new Int32Array((this.#groups + 1) * 2).fill(-1), budget);
    if (slots === undefined) return undefined;
    const characters = Array.from(text);
    const groups = Array.from({ length: this.#groups + 1 }, (_, group) => {
      const start = slots[group * 2] as number;
      return start < 0 ? '' : characters.slice(start, slots[group * 2 + 1]).join('');
    });
    const textOf = (bare: string | undefined, braced: string): string => {
      const name = bare ?? braced;
      const group = /^\d+$/.test(name) ? Number(name) : this.#names.get(name);
      return groups[group ?? -1] ?? '';
    };
    let length = template.length;
    for (const [whole, bare, braced = ''] of template.matchAll(REFERENCE)) {
      length += (whole === '$$' ? 1 : textOf(bare, braced).length) - whole.length;
    }
    budget.label(length);
    return template.replaceAll(REFERENCE, (whole, bare: string | undefined, braced: string) =>
      whole === '$$' ? '$' : textOf(bare, braced),
    );
  }

  /** The positions of the groups, as many as there are slots; undefined if the pattern does not fit. */
  *#run(text: string, startSlots: Int32Array, budget: Budget): Steps<Int32Array | undefined> {
    const codes = Array.from(text, (character) => character.codePointAt(0) as number);
    let [threads, next] = [new Threads(this.#program), new Threads(this.#program)];
    const cost = threads.add(0, startSlots, { at: 0, before: -1, after: codes[0] ?? -1 });
    if (budget.spend(codes.length + cost)) yield;
    for (const [at, code] of codes.entries()) {
      next.clear();
      const place = { at: at + 1, before: code, after: codes[at + 1] ?? -1 };
      for (const { position, slots } of threads.list) {
        const instruction = this.#program[position] as Instruction;
        const goesOn = instruction.kind === 'character' && instruction.fits(code);
        if (budget.spend(1 + (goesOn ? next.add(position + 1, slots, place) : 0))) yield;
      }
      if (next.list.length === 0) return undefined;
      [threads, next] = [next, threads];
    }
    const slots = this.#endOf(threads);
    if (slots !== undefined && slots.length > 0) slots.set([0, codes.length]);
    return slots;
  }

  #endOf(threads: Threads): Int32Array | undefined {
    return threads.list.find(({ position }) => this.#program[position]?.kind === 'end')?.slots;
  }
}

const NO_GROUPS = new Int32Array();

const REFERENCE = /\$(?:\$|(\w+)|\{(\w+)\})/g;

interface Place {
  readonly at: number;
  readonly before: number;
  readonly after: number;
}

interface Thread {
  readonly position: number;
  readonly slots: Int32Array;
}

/** All possibilities at one place of the text, the preferred ones first. */
class Threads {
  list: Thread[] = [];
  readonly #program: readonly Instruction[];
  /** For each instruction, the round in which it was reached last. */
  readonly #reached: Uint32Array;
  #round = 1;

  constructor(program: readonly Instruction[]) {
    this.#program = program;
    this.#reached = new Uint32Array(program.length);
  }

  clear(): void {
    this.list = [];
    this.#round++;
  }

  /** Follows the instructions that need no character. @returns how many small steps it took. */
  add(from: number, startSlots: Int32Array, { at, before, after }: Place): number {
    const open: Thread[] = [{ position: from, slots: startSlots }];
    let steps = 0;
    for (let top = open.pop(); top !== undefined; top = open.pop()) {
      steps++;
      const { position, slots } = top;
      if (this.#reached[position] === this.#round) continue;
      this.#reached[position] = this.#round;
      const instruction = this.#program[position] as Instruction;
      if (instruction.kind === 'jump') open.push({ position: instruction.to, slots });
      else if (instruction.kind === 'split') {
        open.push({ position: instruction.second, slots }, { position: instruction.first, slots });
      } else if (instruction.kind === 'save') {
        steps += slots.length / SLOTS_A_STEP;
        open.push({ position: position + 1, slots: withSlot(slots, instruction.slot, at) });
      } else if (instruction.kind === 'assertion') {
        if (instruction.holds(before, after)) open.push({ position: position + 1, slots });
      } else this.list.push(top);
    }
    return steps;
  }
}

/** A small step takes as long as copying this many numbers. */
const SLOTS_A_STEP = 8;

function withSlot(slots: Int32Array, slot: number, at: number): Int32Array {
  if (slots.length === 0) return slots;
  const saved = slots.slice();
  saved[slot] = at;
  return saved;
}
