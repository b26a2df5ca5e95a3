import { EXIT_FAILURE, EXIT_OK, type Command } from './command.ts';

export const checkPack: Command = {
  summary: 'check a pack and report all its problems',
  argument: 'FILE',
  optionLines: ['FILE                         module that exports the pack (.ts or .js)'],
  example: 'siphon packs check ./shop-pack.ts',
  exitsOneIf: 'if the pack cannot be loaded or has a problem',
  readsConfig: false,
  async run({ argument: file = '' }, { checkPackFile, print, printError }) {
    let problems: readonly string[];
    try {
      problems = await checkPackFile(file);
    } catch (error) {
      printError(`${file}: ${error instanceof Error ? error.message : String(error)}`);
      return EXIT_FAILURE;
    }
    for (const problem of problems) printError(problem);
    if (problems.length > 0) return EXIT_FAILURE;
    print(`${file}: no problems found`);
    return EXIT_OK;
  },
};
