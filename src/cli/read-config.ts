import { ConfigError, type ConfigProblem } from '../engine/config/config-error.ts';
import { loadConfig, type ConfigSource, type LoadedConfig } from '../engine/config/load-config.ts';
import type { CommandContext, CommandOptions } from './command.ts';
import { readBounded } from './read-bounded.ts';

/** The configuration from the options. If it has problems, prints all of them and returns undefined. */
export async function readConfig(
  { configs, sets }: CommandOptions,
  context: CommandContext,
): Promise<LoadedConfig | undefined> {
  try {
    const sources = readSources(configs);
    const { environment, factories } = context;
    return await loadConfig({ sources, sets, environment, factories });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { length } = error.problems;
    context.printError(`${error.message}\n${length} ${length === 1 ? 'problem' : 'problems'} in the configuration`);
    return undefined;
  }
}

function readSources(paths: readonly string[]): ConfigSource[] {
  const unreadable: ConfigProblem[] = [];
  const sources = paths.flatMap((path) => {
    try {
      return [{ name: path, text: readBounded(path) }];
    } catch (error) {
      unreadable.push({ place: { source: path }, path: [], message: (error as Error).message });
      return [];
    }
  });
  if (unreadable.length > 0) throw new ConfigError(unreadable);
  return sources;
}
