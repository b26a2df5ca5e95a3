import { EXIT_OK, type Command } from './command.ts';

export const listPacks: Command = {
  summary: 'list the built-in packs',
  optionLines: [],
  example: 'siphon packs',
  readsConfig: false,
  async run(_options, { packs, print }) {
    const width = Math.max(...packs.map(({ name }) => name.length));
    for (const { name, description } of packs) print(`${name.padEnd(width)}  ${description}`);
    return EXIT_OK;
  },
};
