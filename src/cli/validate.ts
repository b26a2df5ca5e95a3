import { EXIT_FAILURE, EXIT_OK, type Command } from './command.ts';
import type { CollectorConfig } from '../engine/collector-config.ts';
import { componentsInUse } from '../engine/config/components-in-use.ts';
import { ConfigError, type ConfigProblem } from '../engine/config/config-error.ts';
import { printProblems, readConfig } from './read-config.ts';

export const validate: Command = {
  summary: 'check a configuration and report all its problems',
  optionLines: [],
  example: 'siphon validate --config otel-collector.yaml',
  exitsOneIf: 'if the configuration has a problem',
  readsConfig: true,
  async run(options, context) {
    const loaded = await readConfig(options, context);
    if (loaded === undefined) return EXIT_FAILURE;
    for (const warning of loaded.warnings) context.printError(`warning: ${warning}`);
    const mistakes = await mistakesInFiles(loaded.config);
    if (mistakes.length > 0) {
      printProblems(new ConfigError(mistakes), context);
      return EXIT_FAILURE;
    }
    const { pipelines } = loaded.config.service;
    const name = options.configs.length > 0 ? 'The configuration' : `The configuration (${loaded.sources.join(', ')})`;
    context.print(`${name} is valid. Pipelines: ${pipelines.map(({ id }) => id).join(', ')}`);
    return EXIT_OK;
  },
};

/** The mistakes in files that components name, such as those of rules. */
async function mistakesInFiles(config: CollectorConfig): Promise<readonly ConfigProblem[]> {
  const mistakes: ConfigProblem[] = [];
  for (const { factory, config: settings } of componentsInUse(config)) {
    try {
      await factory.check?.(settings);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      mistakes.push(...error.problems);
    }
  }
  return mistakes;
}
