import type { Dashboard } from '../dashboards/model/panel.ts';
import type { RuleSource } from '../dashboards/rules/rule-files.ts';
import type { Lazy, Pack } from './pack.ts';

/** The dashboards and alerts of packs. */
export interface LoadedPacks extends RuleSource {
  readonly dashboards: readonly Dashboard[];
}

/** The dashboards and alerts of one pack. */
export interface LoadedPack extends LoadedPacks {
  readonly name: string;
}

export async function loadPacks(packs: readonly Pack[]): Promise<LoadedPacks> {
  const loaded = await Promise.all(packs.map(loadPack));
  return {
    dashboards: loaded.flatMap(({ dashboards }) => dashboards),
    alerts: loaded.flatMap(({ alerts }) => alerts),
  };
}

export async function loadPack({ name, dashboards = [], alerts = [], runbooks }: Pack): Promise<LoadedPack> {
  return {
    name,
    dashboards: await load(dashboards),
    alerts: (await load(alerts)).map((alert) => {
      if (runbooks === undefined) throw new TypeError(`the pack ${name} has alerts but no runbooks`);
      return { ...alert, runbooks: runbooks.address, runbookFolder: runbooks.folder };
    }),
  };
}

async function load<T>(part: Lazy<T>): Promise<T> {
  return typeof part === 'function' ? await (part as () => Promise<T>)() : part;
}
