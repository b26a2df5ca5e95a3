import { existsSync } from 'node:fs';
import { ConfigError, type ConfigProblem } from '../engine/config/config-error.ts';
import type { Environment } from '../engine/config/expand.ts';
import { loadConfig, type ConfigSource, type LoadedConfig } from '../engine/config/load-config.ts';
import type { CommandContext, CommandOptions } from './command.ts';
import { counted } from './counted.ts';
import { DEFAULT_PORTS, defaultConfig, hasDatabase } from './default-config.ts';
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
export async function readConfig(options: CommandOptions, context: CommandContext): Promise<ReadConfig | undefined> {
  try {
    return await configFrom(options, context);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    printProblems(error, context);
    return undefined;
  }
}

export function printProblems({ message, problems }: ConfigError, context: CommandContext): void {
  context.printError(`${message}\n${counted(problems.length, 'problem')} in the configuration`);
}

/** Like `readConfig`. @throws ConfigError with all problems. */
export async function configFrom(
  { configs, sets }: CommandOptions,
  { environment, factories }: CommandContext,
): Promise<ReadConfig> {
  const sources = configs.length > 0 ? readSources(configs, environment) : defaultSources(environment);
  const loaded = await loadConfig({ sources, sets, environment, factories });
  return { ...loaded, sources: sources.map(({ name }) => name) };
}

function defaultSources(environment: Environment): ConfigSource[] {
  if (existsSync(DEFAULT_FILE)) return readSources([DEFAULT_FILE], environment);
  const options = { hasDatabase: hasDatabase(environment), keepsState: false, ports: DEFAULT_PORTS };
  const text = defaultConfig(options);
  return [{ name: 'built-in default', text }];
}

function readSources(locations: readonly string[], environment: Environment): ConfigSource[] {
  const unreadable: ConfigProblem[] = [];
  const sources = locations.flatMap((location) => {
    try {
      return [readSource(location, environment)];
    } catch (error) {
      const source = location.startsWith('yaml:') ? 'yaml' : location;
      unreadable.push({ place: { source }, path: [], message: (error as Error).message });
      return [];
    }
  });
  if (unreadable.length > 0) throw new ConfigError(unreadable);
  return sources;
}

/**
 * A file, or one of the Collector's locations: `file:PATH`, `env:VARIABLE`, `yaml:TEXT`.
 *
 * @throws Error whose message is the reason in plain words.
 */
function readSource(location: string, environment: Environment): ConfigSource {
  // One letter is a drive.
  const [, scheme, rest = ''] = /^([a-z][a-z0-9+.-]+):(.*)$/is.exec(location) ?? [];
  if (scheme === 'file') return { name: rest, text: readBounded(rest) };
  // The text may contain secrets, so it does not become a name.
  if (scheme === 'yaml') return { name: 'yaml', text: rest };
  if (scheme === 'env') {
    const text = environment[rest];
    if (text === undefined) throw new Error(`environment variable ${rest} is not set`);
    return { name: location, text };
  }
  if (scheme !== undefined && !existsSync(location)) {
    throw new Error(`${scheme}: is not supported: use a file, file:PATH, env:VARIABLE or yaml:TEXT`);
  }
  return { name: location, text: readBounded(location) };
}
