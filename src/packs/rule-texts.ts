/** The rules of packs as files of Prometheus, for a sidecar that evaluates them itself. */
import { ruleFiles } from '../dashboards/rules/rule-files.ts';
import { defaultLinks, readSettings } from '../dashboards/rules/settings.ts';
import { loadPacks } from './load.ts';
import type { Pack } from './pack.ts';

export interface RuleText {
  readonly name: string;
  readonly text: string;
}

interface Choice {
  /** The packs whose alerts are wanted; undefined for those whose metrics there can be. */
  readonly names: readonly string[] | undefined;
  /** The packs that are polled, and `sentry` if telemetry goes there. Undefined for all. */
  readonly subjects: readonly string[] | undefined;
  /** The content of the settings file with links and limits. */
  readonly settings: string | undefined;
}

/** @throws Error if a name is unknown, or the settings have a problem. */
export async function ruleTexts(
  packs: readonly Pack[],
  { names, subjects, settings }: Choice,
): Promise<readonly RuleText[]> {
  const unknown = names?.find((name) => packs.every((pack) => pack.name !== name));
  if (unknown !== undefined) {
    throw new Error(`rules::packs: ${unknown} is unknown; known are ${packs.map(({ name }) => name).join(', ')}`);
  }
  const all = await loadPacks(packs);
  const chosen = await loadPacks(packs.filter((pack) => names?.includes(pack.name) ?? isMeasured(pack, subjects)));
  const links = { ...defaultLinks, ...(subjects?.includes('sentry') === false && { sentry: undefined }) };
  const read = settings === undefined ? { links, alerts: {} } : readSettings(settings, all.alerts, links);
  return [...ruleFiles({ ...chosen, dashboards: all.dashboards }, read)].map(([name, text]) => ({
    name: `packs/${name}`,
    text,
  }));
}

/** A pack with queries has metrics only where it is polled; others are about services, and the sidecar itself. */
function isMeasured({ name, database }: Pack, subjects: Choice['subjects']): boolean {
  return database === undefined || (subjects?.includes(name) ?? true);
}
