import { Automaton } from './automaton.ts';
import { GroupSimulation } from './group-simulation.ts';
import { parsePattern } from './parse-pattern.ts';
import { compile, type Instruction } from './program.ts';
import type { Steps, Work } from './work.ts';

const MAX_LENGTH = 4096;

/**
 * A regular expression in the syntax of RE2. The time is at most proportional to the length of the text, because all
 * possibilities proceed together: patterns and texts come from others, and JavaScript's own expressions may take for ever.
 */
export class Pattern {
  readonly #program: readonly Instruction[];
  readonly #groups: number;
  readonly #names: ReadonlyMap<string, number>;
  /** The choices, if there is nothing else to match. */
  readonly #texts: ReadonlySet<string> | undefined;
  #whole: Automaton | undefined;
  #anywhere: Automaton | undefined;

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
    return this.#forWhole.fitsEmpty;
  }

  /** True if it fits the whole text. */
  *fits(text: string, work: Work): Steps<boolean> {
    if (this.#texts !== undefined) return this.#texts.has(text);
    if (this.#whole === undefined && work.spend(this.size)) yield;
    return yield* this.#forWhole.fits(text, work);
  }

  /** True if it fits some part of the text. */
  *fitsWithin(text: string, work: Work): Steps<boolean> {
    if (this.#anywhere === undefined && work.spend(this.size)) yield;
    this.#anywhere ??= new Automaton(this.#program, true);
    return yield* this.#anywhere.fits(text, work);
  }

  /** The texts of the groups by number and by name, 0 for the whole text; undefined if the pattern does not fit it. */
  *groupsOf(text: string, work: Work): Steps<ReadonlyMap<string, string> | undefined> {
    if (!(yield* this.fits(text, work))) return undefined;
    const characters = Array.from(text);
    const slots = yield* new GroupSimulation(this.#program, this.#groups).run(characters, work);
    const groups = new Map<string, string>();
    for (let group = 0; group <= this.#groups; group++) {
      const start = slots[group * 2] as number;
      groups.set(`${group}`, start < 0 ? '' : characters.slice(start, slots[group * 2 + 1]).join(''));
    }
    for (const [name, group] of this.#names) groups.set(name, groups.get(`${group}`) ?? '');
    return groups;
  }

  get #forWhole(): Automaton {
    return (this.#whole ??= new Automaton(this.#program, false));
  }
}
