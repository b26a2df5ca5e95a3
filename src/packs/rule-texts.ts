/** The rules of packs as files of Prometheus, for a sidecar that evaluates them itself. */
import { ruleFiles } from '../dashboards/rules/rule-files.ts';
import { defaultSettings, readSettings } from '../dashboards/rules/settings.ts';
import { loadPacks } from './load.ts';
import type { Pack } from './pack.ts';

export interface RuleText {
  readonly name: string;
  readonly text: string;
}

/**
 * @param names the packs whose alerts are wanted; undefined for all.
 * @param settings the content of the settings file with links and limits.
 * @throws Error if a name is unknown, or the settings have a problem.
 */
export async function ruleTexts(
  packs: readonly Pack[],
  names: readonly string[] | undefined,
  settings: string | undefined,
): Promise<readonly RuleText[]> {
  const unknown = names?.find((name) => packs.every((pack) => pack.name !== name));
  if (unknown !== undefined) {
    throw new Error(`rules::packs: ${unknown} is unknown; known are ${packs.map(({ name }) => name).join(', ')}`);
  }
  const all = await loadPacks(packs);
  const chosen = await loadPacks(packs.filter(({ name }) => names?.includes(name) ?? true));
  const links = settings === undefined ? defaultSettings : readSettings(settings, all.alerts);
  return [...ruleFiles({ ...chosen, dashboards: all.dashboards }, links)].map(([name, text]) => ({
    name: `packs/${name}`,
    text,
  }));
}
