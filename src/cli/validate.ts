import { EXIT_FAILURE, EXIT_OK, type Command } from './command.ts';
import { readConfig } from './read-config.ts';

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
    const { pipelines } = loaded.config.service;
    const name = options.configs.length > 0 ? 'The configuration' : `The configuration (${loaded.sources.join(', ')})`;
    context.print(`${name} is valid. Pipelines: ${pipelines.map(({ id }) => id).join(', ')}`);
    return EXIT_OK;
  },
};
