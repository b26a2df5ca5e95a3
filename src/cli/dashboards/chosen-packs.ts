/** The options `--pack` and `--only`, and the dashboards of the packs that they choose. */
import type { DashboardModel } from '../../dashboards/model/dashboard-model.ts';
import type { RuleSource } from '../../dashboards/rules/rule-files.ts';
import { UsageError, type CommandContext, type CommandOptions, type PackContent } from '../command.ts';

export const packOptions = ['pack', 'only'] as const;

export const packOptionLines: readonly string[] = [
  '--pack FILE                  adds the pack that a module (.ts or .js) exports; may be repeated',
  '--only NAME                  only the pack with this name; may be repeated; default: all',
];

export interface ChosenPacks {
  readonly chosen: RuleSource;
  /** The chosen packs and those that they may be built on. */
  readonly all: RuleSource;
}

/**
 * Loads the built-in packs and those of `--pack`.
 *
 * @throws UsageError if `--only` names an unknown pack.
 * @throws Error if a pack cannot be loaded, or if two of them have a dashboard or an alert in common.
 */
export async function choosePacks({ lists }: CommandOptions, { loadPacks }: CommandContext): Promise<ChosenPacks> {
  const { pack: files = [], only = [] } = lists;
  const packs = await loadPacks(files);
  const names = packs.map(({ name }) => name);
  for (const name of only) {
    if (!names.includes(name)) throw new UsageError(`--only ${name}: unknown pack; known are ${names.join(', ')}`);
  }
  const all = contentOf(packs);
  assertDistinct(
    'dashboard',
    all.dashboards.map(({ uid }) => uid),
  );
  assertDistinct(
    'alert',
    all.alerts.map(({ name }) => name),
  );
  return { all, chosen: only.length === 0 ? all : contentOf(packs.filter(({ name }) => only.includes(name))) };
}

export interface DashboardFile {
  readonly uid: string;
  readonly fileName: string;
  readonly text: string;
}

/** The chosen dashboards in Grafana's form, sorted by name. They link to each other. */
export async function dashboardFiles({ all, chosen }: ChosenPacks): Promise<readonly DashboardFile[]> {
  const [{ classicDashboardText }, { dashboardModels }] = await Promise.all([
    import('../../dashboards/grafana/classic.ts'),
    import('../../dashboards/model/dashboard-model.ts'),
  ]);
  const uids = new Set<string>(chosen.dashboards.map(({ uid }) => uid));
  return dashboardModels(all.dashboards)
    .filter(({ uid }) => uids.has(uid))
    .map((dashboard) => ({
      uid: dashboard.uid,
      fileName: `${dashboard.uid}.json`,
      text: classicDashboardText(linkedWithin(dashboard, uids)),
    }))
    .toSorted((one, other) => (one.fileName < other.fileName ? -1 : 1));
}

/** Without the links to dashboards that are not chosen, since Grafana may not have them. */
function linkedWithin(dashboard: DashboardModel, uids: ReadonlySet<string>): DashboardModel {
  return { ...dashboard, links: dashboard.links.filter(({ uid }) => uids.has(uid)) };
}

function contentOf(packs: readonly PackContent[]): RuleSource {
  return {
    dashboards: packs.flatMap(({ dashboards }) => dashboards),
    alerts: packs.flatMap(({ alerts }) => alerts),
  };
}

function assertDistinct(kind: string, names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`two packs have the ${kind} ${twice}`);
}
