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
  readonly #slots: number;
  readonly #names: ReadonlyMap<string, number>;
  /** The choices, if there is nothing else to match. */
  readonly #texts: ReadonlySet<string> | undefined;

  /** @throws Error that describes what is wrong. */
  constructor(source: string) {
    if (source.length > MAX_LENGTH) throw new Error(`the pattern is longer than ${MAX_LENGTH} characters`);
    const { root, groups, names } = parsePattern(source);
    this.#program = compile(root);
    this.#slots = (groups + 1) * 2;
    this.#names = names;
    this.#texts = /^[\w |:/,-]*$/.test(source) ? new Set(source.split('|')) : undefined;
  }

  test(text: string): boolean {
    return this.#texts?.has(text) ?? this.#run(text) !== undefined;
  }

  /** The text for a match, with `$1` and `${name}` replaced by groups; undefined if the pattern does not fit. */
  expand(text: string, template: string): string | undefined {
    const slots = this.#run(text);
    if (slots === undefined) return undefined;
    const characters = Array.from(text);
    return template.replaceAll(/\$(?:\$|(\w+)|\{(\w+)\})/g, (whole, bare: string | undefined, braced: string) => {
      if (whole === '$$') return '$';
      const name = bare ?? braced;
      const group = /^\d+$/.test(name) ? Number(name) : this.#names.get(name);
      const start = slots[(group ?? -1) * 2] ?? -1;
      return start < 0 ? '' : characters.slice(start, slots[(group as number) * 2 + 1]).join('');
    });
  }

  /** The positions of the groups; undefined if the pattern does not fit. */
  #run(text: string): Int32Array | undefined {
    const codes = Array.from(text, (character) => character.codePointAt(0) as number);
    let threads = new Threads(this.#program);
    threads.add(0, new Int32Array(this.#slots).fill(-1), { at: 0, before: -1, after: codes[0] ?? -1 });
    for (const [at, code] of codes.entries()) {
      const next = new Threads(this.#program);
      const place = { at: at + 1, before: code, after: codes[at + 1] ?? -1 };
      for (const { position, slots } of threads.list) {
        const instruction = this.#program[position] as Instruction;
        if (instruction.kind === 'character' && instruction.fits(code)) next.add(position + 1, slots, place);
      }
      if (next.list.length === 0) return undefined;
      threads = next;
    }
    const slots = threads.list.find(({ position }) => this.#program[position]?.kind === 'end')?.slots;
    slots?.set([0, codes.length]);
    return slots;
  }
}

interface Place {
  readonly at: number;
  readonly before: number;
  readonly after: number;
}

/** All possibilities at one place of the text, the preferred ones first. */
class Threads {
  readonly list: { readonly position: number; readonly slots: Int32Array }[] = [];
  readonly #program: readonly Instruction[];
  readonly #seen: Uint8Array;

  constructor(program: readonly Instruction[]) {
    this.#program = program;
    this.#seen = new Uint8Array(program.length);
  }

  /** Follows the instructions that need no character. */
  add(from: number, startSlots: Int32Array, { at, before, after }: Place): void {
    const open = [{ position: from, slots: startSlots }];
    for (let top = open.pop(); top !== undefined; top = open.pop()) {
      const { position, slots } = top;
      if (this.#seen[position] === 1) continue;
      this.#seen[position] = 1;
      const instruction = this.#program[position] as Instruction;
      if (instruction.kind === 'jump') open.push({ position: instruction.to, slots });
      else if (instruction.kind === 'split') {
        open.push({ position: instruction.second, slots }, { position: instruction.first, slots });
      } else if (instruction.kind === 'save') {
        const saved = slots.slice();
        saved[instruction.slot] = at;
        open.push({ position: position + 1, slots: saved });
      } else if (instruction.kind === 'assertion') {
        if (instruction.holds(before, after)) open.push({ position: position + 1, slots });
      } else this.list.push(top);
    }
  }
}
