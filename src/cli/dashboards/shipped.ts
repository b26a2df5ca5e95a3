import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { OWN_TAG } from '../../dashboards/own-tag.ts';

export const forms = ['grafana', 'grafana-v2', 'model'] as const;

/** Classic JSON, resources of Grafana 13, or plain data. */
export type Form = (typeof forms)[number];

export interface ShippedDashboard {
  readonly uid: string;
  readonly fileName: string;
  readonly text: string;
}

/** The dashboards that siphon brings along, in the order of their names. */
export async function shippedDashboards(folder: string, form: Form): Promise<readonly ShippedDashboard[]> {
  const files = (await readdir(path.join(folder, form))).filter((name) => name.endsWith('.json')).toSorted();
  return await Promise.all(
    files.map(async (fileName) => ({
      uid: path.basename(fileName, '.json'),
      fileName,
      text: await readFile(path.join(folder, form, fileName), 'utf8'),
    })),
  );
}

/** Whether siphon may overwrite it. */
export function isOwn(dashboard: unknown): boolean {
  const { tags } = (dashboard ?? {}) as { tags?: unknown };
  return Array.isArray(tags) && tags.includes(OWN_TAG);
}
