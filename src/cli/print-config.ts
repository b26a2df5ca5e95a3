import { dump } from 'js-yaml';
import { redactConfig } from '../engine/config/redact.ts';
import { EXIT_FAILURE, EXIT_OK, type Command } from './command.ts';
import { readConfig } from './read-config.ts';

export const printConfig: Command = {
  summary: 'print the merged configuration with secrets masked',
  optionLines: [],
  example: 'siphon print-config --set processors.batch.timeout=5s',
  exitsOneIf: 'if the configuration has a problem',
  readsConfig: true,
  async run(options, context) {
    const loaded = await readConfig(options, context);
    if (loaded === undefined) return EXIT_FAILURE;
    if (options.configs.length === 0) context.print(`# ${loaded.sources.join(', ')}`);
    context.print(dump(redactConfig(loaded.root, loaded.config), { noRefs: true, lineWidth: -1 }).trimEnd());
    return EXIT_OK;
  },
};
