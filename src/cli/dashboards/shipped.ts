import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { DASHBOARD_TAG } from '../../dashboards/dashboard-tag.ts';

export interface ShippedDashboard {
  readonly uid: string;
  readonly fileName: string;
  readonly text: string;
}

/** The dashboards in siphon's package, sorted by name. */
export async function shippedDashboards(dashboardsFolder: string): Promise<readonly ShippedDashboard[]> {
  const folder = path.join(dashboardsFolder, 'grafana');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json')).toSorted();
  return await Promise.all(
    files.map(async (fileName) => ({
      uid: path.basename(fileName, '.json'),
      fileName,
      text: await readFile(path.join(folder, fileName), 'utf8'),
    })),
  );
}

/** True if siphon may overwrite the file. */
export function isOwn(dashboard: unknown): boolean {
  const { tags } = (dashboard ?? {}) as { tags?: unknown };
  return Array.isArray(tags) && tags.includes(DASHBOARD_TAG);
}
