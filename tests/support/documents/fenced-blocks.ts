/** A fenced block of a Markdown document. */
export interface FencedBlock {
  readonly language: string;
  /** The words after the language, which no renderer shows: they choose the test of the block. */
  readonly info: string;
  readonly text: string;
  /** The line of the opening fence, from 1. */
  readonly line: number;
}

export function fencedBlocks(document: string): FencedBlock[] {
  const found = document.matchAll(/^( *)```(\S*)([^\n]*)\n(.*?)^\1```$/gms);
  return Array.from(found, ({ index, 1: indent = '', 2: language = '', 3: info = '', 4: text = '' }) => ({
    language,
    info: info.trim(),
    text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    line: document.slice(0, index).split('\n').length,
  }));
}

/** The commands of a shell block, without comments and empty lines. */
export function commandsOf({ text }: FencedBlock): string[] {
  return text
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/(?:^|\s+)# .*$/, '').trim())
    .filter((line) => line !== '');
}
