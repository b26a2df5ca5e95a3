import type { Instruction } from './program.ts';
import type { Steps, Work } from './work.ts';

/** Finds the groups of a text that a program fits. All possibilities proceed together, the preferred ones first. */
export class GroupSimulation {
  readonly #program: readonly Instruction[];
  readonly #groups: number;

  constructor(program: readonly Instruction[], groups: number) {
    this.#program = program;
    this.#groups = groups;
  }

  /** The begin and the end of each group, 0 for the whole; -1 for a group that is not in the text. */
  *run(characters: readonly string[], work: Work): Steps<Int32Array> {
    const codes = characters.map((character) => character.codePointAt(0) as number);
    let [threads, next] = [new Threads(this.#program), new Threads(this.#program)];
    const none = new Int32Array((this.#groups + 1) * 2).fill(-1);
    const cost = threads.add(0, none, { at: 0, before: -1, after: codes[0] ?? -1 });
    if (work.spend(codes.length + cost)) yield;
    for (const [at, code] of codes.entries()) {
      next.clear();
      const place = { at: at + 1, before: code, after: codes[at + 1] ?? -1 };
      for (const { position, slots } of threads.list) {
        const instruction = this.#program[position] as Instruction;
        const goesOn = instruction.kind === 'character' && instruction.fits(code);
        if (work.spend(1 + (goesOn ? next.add(position + 1, slots, place) : 0))) yield;
      }
      [threads, next] = [next, threads];
    }
    const slots = threads.list.find(({ position }) => this.#program[position]?.kind === 'end')?.slots ?? none;
    slots.set([0, codes.length]);
    return slots;
  }
}

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
  const saved = slots.slice();
  saved[slot] = at;
  return saved;
}
