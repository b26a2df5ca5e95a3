import { existsSync } from 'node:fs';
import { ConfigError, type ConfigProblem } from '../engine/config/config-error.ts';
import { loadConfig, type ConfigSource, type LoadedConfig } from '../engine/config/load-config.ts';
import type { CommandContext, CommandOptions } from './command.ts';
import { DEFAULT_PORTS, defaultConfig } from './default-config.ts';
import { readBounded } from './read-bounded.ts';

/** The configuration file in the working directory that a command reads without `--config`. */
export const DEFAULT_FILE = 'otel-collector.yaml';

export interface ReadConfig extends LoadedConfig {
  /** The names of the files, or of the built-in default. */
  readonly sources: readonly string[];
}

/**
 * The configuration from the options, from `otel-collector.yaml` in the working directory, or the built-in default. If it
 * has problems, prints all of them and returns undefined.
 */
export async function readConfig(
  { configs, sets }: CommandOptions,
  context: CommandContext,
): Promise<ReadConfig | undefined> {
  const { environment, factories } = context;
  try {
    const sources = configs.length > 0 ? readSources(configs) : defaultSources(environment);
    const loaded = await loadConfig({ sources, sets, environment, factories });
    return { ...loaded, sources: sources.map(({ name }) => name) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { length } = error.problems;
    context.printError(`${error.message}\n${length} ${length === 1 ? 'problem' : 'problems'} in the configuration`);
    return undefined;
  }
}

function defaultSources({ DATABASE_URL = '' }: CommandContext['environment']): ConfigSource[] {
  if (existsSync(DEFAULT_FILE)) return readSources([DEFAULT_FILE]);
  const text = defaultConfig({ hasDatabase: DATABASE_URL !== '', keepsState: false, ports: DEFAULT_PORTS });
  return [{ name: 'built-in default', text }];
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
