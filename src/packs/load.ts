import type { Dashboard } from '../dashboards/model/panel.ts';
import type { RuleSource } from '../dashboards/rules/rule-files.ts';
import type { Lazy, Pack } from './pack.ts';

/** The dashboards and alerts of packs. */
export interface LoadedPacks extends RuleSource {
  readonly dashboards: readonly Dashboard[];
}

export async function loadPacks(packs: readonly Pack[]): Promise<LoadedPacks> {
  const loaded = await Promise.all(
    packs.map(async ({ name, dashboards = [], alerts = [], runbooks }) => ({
      dashboards: await load(dashboards),
      alerts: (await load(alerts)).map((alert) => {
        if (runbooks === undefined) throw new TypeError(`the pack ${name} has alerts but no runbooks`);
        return { ...alert, runbooks: runbooks.address };
      }),
    })),
  );
  return {
    dashboards: loaded.flatMap(({ dashboards }) => dashboards),
    alerts: loaded.flatMap(({ alerts }) => alerts),
  };
}

async function load<T>(part: Lazy<T>): Promise<T> {
  return typeof part === 'function' ? await (part as () => Promise<T>)() : part;
}
