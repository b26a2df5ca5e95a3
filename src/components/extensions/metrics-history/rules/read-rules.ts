import { readFile, stat } from 'node:fs/promises';
import { ConfigError, type ConfigProblem } from '../../../../engine/config/config-error.ts';
import { inSlices } from '../../../../engine/time-slice.ts';
import { parseRuleFile, type RuleFile } from '../../../../rules/parse-rule-file.ts';
import type { RuleGroup } from '../../../../rules/rule.ts';
import type { RulesConfig } from '../config.ts';

/**
 * The rule files of packs.
 *
 * @throws Error if a pack is unknown, or the settings have a problem.
 */
export type ReadPackRules = (choice: PackChoice) => Promise<readonly RuleFile[]>;

export interface PackChoice {
  /** Their names; undefined for those whose metrics the configuration can produce. */
  readonly names: readonly string[] | undefined;
  /** Subjects of the configuration: packs that are polled, and `sentry`. Undefined if they are not known. */
  readonly subjects: readonly string[] | undefined;
  /** The content of the file with links and limits. */
  readonly settings: string | undefined;
}

export interface RuleReading extends Partial<Pick<PackChoice, 'subjects'>> {
  readonly readPackRules: ReadPackRules;
  readonly historyIntervalMs: number;
}

/** Every interval has memory of its own. */
const MAX_INTERVALS = 8;

/** @throws ConfigError with all mistakes of all files. */
export async function readRules(config: RulesConfig, reading: RuleReading): Promise<readonly RuleGroup[]> {
  const problems: ConfigProblem[] = [];
  const groups: RuleGroup[] = [];
  for (const read of await sourcesOf(config, reading)) {
    try {
      groups.push(...(await inSlices(parseRuleFile(await read(), config.interval))));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
    }
  }
  for (const { file, name, intervalMs } of groups) {
    if (intervalMs >= reading.historyIntervalMs) continue;
    const message = `group ${name}: its interval is shorter than the interval of the history`;
    problems.push({ place: { source: file }, path: [], message });
  }
  if (new Set(groups.map(({ intervalMs }) => intervalMs)).size > MAX_INTERVALS) {
    const message = `the groups have more than ${MAX_INTERVALS} different intervals`;
    problems.push({ place: { source: groups.at(-1)?.file ?? '' }, path: [], message });
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return groups;
}

type ReadFile = () => Promise<RuleFile>;

async function sourcesOf(
  { packs, rule_files: files, settings_file: settingsFile }: RulesConfig,
  { readPackRules, subjects }: RuleReading,
): Promise<readonly ReadFile[]> {
  const settings = settingsFile === undefined ? undefined : await textOf(settingsFile);
  return [
    ...(await ofPacks(async () => await readPackRules({ names: packs, subjects, settings }))).map(
      (file) => async () => await Promise.resolve(file),
    ),
    ...files.map((name) => async () => ({ name, text: await textOf(name) })),
  ];
}

async function ofPacks(read: () => Promise<readonly RuleFile[]>): Promise<readonly RuleFile[]> {
  try {
    return await read();
  } catch (error) {
    const place = { source: 'metrics_history' };
    throw new ConfigError([{ place, path: [], message: (error as Error).message }], { cause: error });
  }
}

const MAX_FILE_BYTES = 4 * 1024 * 1024;

async function textOf(file: string): Promise<string> {
  try {
    if ((await stat(file)).size > MAX_FILE_BYTES) throw new Error(`it has more than ${MAX_FILE_BYTES} bytes`);
    return await readFile(file, 'utf8');
  } catch (error) {
    const message = `cannot be read: ${(error as Error).message}`;
    throw new ConfigError([{ place: { source: file }, path: [], message }], { cause: error });
  }
}
