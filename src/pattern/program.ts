import type { Assertion, PatternNode } from './node.ts';

/** Instructions for the threads of a match. `next` and `other` are positions in the program. */
export type Instruction =
  | { readonly kind: 'character'; readonly fits: (code: number) => boolean }
  | { readonly kind: 'assertion'; readonly holds: Assertion }
  /** Remembers the position in the text. */
  | { readonly kind: 'save'; readonly slot: number }
  /** Continues at both, the first one with priority. */
  | { readonly kind: 'split'; first: number; second: number }
  | { readonly kind: 'jump'; to: number }
  | { readonly kind: 'end' };

/** A match costs this many instructions per character at most. */
const MAX_INSTRUCTIONS = 10_000;

export function compile(root: PatternNode): readonly Instruction[] {
  const program: Instruction[] = [];
  write(root, program);
  program.push({ kind: 'end' });
  return program;
}

function write(node: PatternNode, program: Instruction[]): void {
  if (program.length > MAX_INSTRUCTIONS) throw new Error('the pattern is too long');
  switch (node.kind) {
    case 'empty':
      return;
    case 'character':
    case 'assertion':
      program.push(node);
      return;
    case 'sequence':
      for (const part of node.of) write(part, program);
      return;
    case 'group':
      program.push({ kind: 'save', slot: node.number * 2 });
      write(node.of, program);
      program.push({ kind: 'save', slot: node.number * 2 + 1 });
      return;
    case 'choice':
      writeChoice(node.of, program);
      return;
    case 'repeat':
      writeRepeat(node, program);
  }
}

function writeChoice(choices: readonly PatternNode[], program: Instruction[]): void {
  const jumps: { to: number }[] = [];
  for (const [index, choice] of choices.entries()) {
    const isLast = index === choices.length - 1;
    const split = { kind: 'split' as const, first: program.length + 1, second: 0 };
    if (!isLast) program.push(split);
    write(choice, program);
    if (isLast) continue;
    const jump = { kind: 'jump' as const, to: 0 };
    program.push(jump);
    jumps.push(jump);
    split.second = program.length;
  }
  for (const jump of jumps) jump.to = program.length;
}

function writeRepeat(
  { of, least, most, isLazy }: Extract<PatternNode, { kind: 'repeat' }>,
  program: Instruction[],
): void {
  for (let i = 0; i < least; i++) write(of, program);
  if (most === Infinity) {
    const loop = program.length;
    const split = optional(program, isLazy);
    write(of, program);
    program.push({ kind: 'jump', to: loop });
    split.skipTo(program.length);
    return;
  }
  const splits = [];
  for (let i = least; i < most; i++) {
    splits.push(optional(program, isLazy));
    write(of, program);
  }
  for (const split of splits) split.skipTo(program.length);
}

/** The next instructions may be skipped. */
function optional(program: Instruction[], isLazy: boolean): { readonly skipTo: (to: number) => void } {
  const inside = program.length + 1;
  const split = { kind: 'split' as const, first: inside, second: inside };
  program.push(split);
  return { skipTo: (to) => void (isLazy ? (split.first = to) : (split.second = to)) };
}
