import { isDeepStrictEqual } from 'node:util';
import { hasDashboardTag } from '../../dashboards/dashboard-tag.ts';
import { GrafanaError, type GrafanaClient, type StoredDashboard } from './grafana-client.ts';
import type { DashboardFile } from './chosen-packs.ts';

type Result = 'created' | 'updated' | 'unchanged';

export interface Pushed {
  readonly uid: string;
  readonly result: Result;
}

interface Plan {
  readonly uid: string;
  readonly wanted: Readonly<Record<string, unknown>>;
  readonly stored: StoredDashboard | undefined;
}

/**
 * Uploads the dashboards to a folder, and creates the folder if it is missing. All dashboards are checked before the first
 * is written. If a write fails, the earlier ones are rolled back.
 *
 * @throws GrafanaError that names the obstacles.
 */
export async function pushAll(
  client: GrafanaClient,
  dashboards: readonly DashboardFile[],
  folderTitle: string,
): Promise<readonly Pushed[]> {
  const folder = (await client.folders()).find(({ title }) => title === folderTitle);
  const plans: Plan[] = [];
  for (const { uid, text } of dashboards) {
    const wanted = JSON.parse(text) as Plan['wanted'];
    plans.push({ uid, wanted, stored: await client.dashboard(uid) });
  }
  const obstacles = plans.flatMap(obstacle);
  if (obstacles.length > 0) throw new GrafanaError(`${obstacles.join('\n')}\nnothing was written`);

  const undo: (() => Promise<void>)[] = [];
  try {
    const { uid: folderUid } = folder ?? (await client.createFolder(folderTitle));
    if (folder === undefined) undo.push(() => client.deleteFolder(folderUid));
    const pushed: Pushed[] = [];
    for (const plan of plans) pushed.push({ uid: plan.uid, result: await push(client, plan, folderUid, undo) });
    return pushed;
  } catch (error) {
    throw await takenBack(error as Error, undo);
  }
}

function obstacle({ uid, stored }: Plan): string[] {
  if (stored === undefined) return [];
  if (!hasDashboardTag(stored.dashboard)) {
    return [
      `the dashboard ${uid} ("${String(stored.dashboard['title'])}") exists and was not created by siphon: rename its uid, or remove it`,
    ];
  }
  if (stored.meta.provisioned === true)
    return [`the dashboard ${uid} is provisioned from a file: update the file instead`];
  return [];
}

async function push(
  client: GrafanaClient,
  { uid, wanted, stored }: Plan,
  folderUid: string,
  undo: (() => Promise<void>)[],
): Promise<Result> {
  if (stored === undefined) {
    await client.saveDashboard(wanted, folderUid);
    undo.push(() => client.deleteDashboard(uid));
    return 'created';
  }
  const { id: _, version, ...content } = stored.dashboard;
  if (isDeepStrictEqual(content, wanted) && stored.meta.folderUid === folderUid) return 'unchanged';
  await client.saveDashboard({ ...wanted, version }, folderUid);
  undo.push(async () => {
    const now = await client.dashboard(uid);
    await client.saveDashboard({ ...content, version: now?.dashboard['version'] }, stored.meta.folderUid ?? '');
  });
  return 'updated';
}

async function takenBack(error: Error, undo: readonly (() => Promise<void>)[]): Promise<GrafanaError> {
  if (undo.length === 0) return new GrafanaError(`${error.message}\nnothing was written`, { cause: error });
  try {
    for (const step of undo.toReversed()) await step();
    return new GrafanaError(`${error.message}\nthe changes were rolled back`, { cause: error });
  } catch (undoing) {
    const why = (undoing as Error).message;
    return new GrafanaError(`${error.message}\nthe changes could not be rolled back: ${why}`, {
      cause: error,
    });
  }
}
