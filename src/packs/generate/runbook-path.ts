import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { packs } from '../index.ts';
import type { Pack } from '../pack.ts';
import type { AlertWithRunbook } from '../../dashboards/rules/rule-files.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** The way from a folder of the project to the runbook of an alert. */
export function runbookPath({ name, runbooks }: AlertWithRunbook, from: string): string {
  const folder = (packs as readonly Pack[]).find((pack) => pack.runbooks?.address === runbooks)?.runbooks?.folder;
  if (folder === undefined) throw new Error(`${name} has no runbook`);
  return path.posix.relative(path.join(root, from), path.join(fileURLToPath(folder), `${name}.md`));
}
