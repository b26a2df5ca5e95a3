import { readFile, stat } from 'node:fs/promises';
import { inSlices } from '../../../../engine/time-slice.ts';
import { parseRuleFile, type RuleFile } from '../../../../rules/parse-rule-file.ts';
import { RuleError } from '../../../../rules/rule-error.ts';
import type { RuleGroup } from '../../../../rules/rule.ts';
import type { RulesConfig } from '../config.ts';

/**
 * The rule files of packs.
 *
 * @param packs their names; undefined for all.
 * @param settings the content of the file with links and limits.
 * @throws Error if a pack is unknown, or the settings have a problem.
 */
export type ReadPackRules = (
  packs: readonly string[] | undefined,
  settings: string | undefined,
) => Promise<readonly RuleFile[]>;

export interface RuleReading {
  readonly readPackRules: ReadPackRules;
  readonly historyIntervalMs: number;
}

/** Every interval has memory of its own. */
const MAX_INTERVALS = 8;

/** @throws Error that names the file and the rule with a problem. */
export async function readRules(
  { packs, rule_files: files, settings_file: settingsFile, interval }: RulesConfig,
  { readPackRules, historyIntervalMs }: RuleReading,
): Promise<readonly RuleGroup[]> {
  const settings = settingsFile === undefined ? undefined : await read(settingsFile);
  const texts = [
    ...(await readPackRules(packs, settings)),
    ...(await Promise.all(files.map(async (name) => ({ name, text: await read(name) })))),
  ];
  const groups: RuleGroup[] = [];
  for (const text of texts) groups.push(...(await inSlices(parseRuleFile(text, interval))));
  for (const { file, name, intervalMs } of groups) {
    if (intervalMs < historyIntervalMs) {
      throw new RuleError(`${file}: group ${name}: its interval is shorter than the interval of the history`);
    }
  }
  if (new Set(groups.map(({ intervalMs }) => intervalMs)).size > MAX_INTERVALS) {
    throw new RuleError(`the groups have more than ${MAX_INTERVALS} different intervals`);
  }
  return groups;
}

const MAX_FILE_BYTES = 4 * 1024 * 1024;

async function read(file: string): Promise<string> {
  try {
    if ((await stat(file)).size > MAX_FILE_BYTES) throw new Error(`it has more than ${MAX_FILE_BYTES} bytes`);
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new RuleError(`${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
