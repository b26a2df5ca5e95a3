import { dump } from 'js-yaml';
import { SECTION_OF } from '../engine/config/read-components.ts';
import type { Factory } from '../engine/component.ts';
import { EXIT_OK, type Command } from './command.ts';

export const listComponents: Command = {
  summary: 'list all components with their signals and stability, as YAML',
  optionLines: [],
  example: 'siphon components',
  readsConfig: false,
  async run(_options, { print, version, factories }) {
    const sections = Object.entries(SECTION_OF).map(([kind, section]) => [
      section,
      factories.filter((factory) => factory.kind === kind).map(describe),
    ]);
    print(dump({ version, ...Object.fromEntries(sections) }, { flowLevel: 3 }).trimEnd());
    return EXIT_OK;
  },
};

function describe(factory: Factory): Record<string, unknown> {
  const { type, aliases = [], signals, stability } = factory;
  return {
    type,
    ...(aliases.length > 0 && { aliases }),
    ...(signals.length > 0 && { signals }),
    ...(factory.kind === 'connector' && { emits: factory.emits }),
    stability,
  };
}
