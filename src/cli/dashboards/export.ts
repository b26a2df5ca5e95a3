import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { EXIT_FAILURE, EXIT_OK, UsageError, type Command, type CommandOptions } from '../command.ts';
import { forms, isOwn, shippedDashboards, type Form, type ShippedDashboard } from './shipped.ts';

export const exportDashboards: Command = {
  summary: 'write the dashboards as files, for Grafana\u2019s provisioning',
  optionLines: [
    '--dir DIR                    the folder; it is made where it is missing',
    `--form FORM                  ${forms.join(', ')}; default grafana`,
  ],
  takes: ['dir', 'form'],
  readsConfig: false,
  async run(options, { dashboardsFolder, print, printError }) {
    const { dir, form } = readOptions(options);
    const dashboards = await shippedDashboards(dashboardsFolder, form);
    try {
      const written = await writeAll(dir, dashboards);
      print(`${dir}: ${dashboards.length} dashboards, ${written} of them written, the others were there.`);
      return EXIT_OK;
    } catch (error) {
      printError(error instanceof Error ? error.message : String(error));
      return EXIT_FAILURE;
    }
  },
};

function readOptions({ given: { dir, form = 'grafana' } }: CommandOptions): { dir: string; form: Form } {
  if (dir === undefined || dir === '') throw new UsageError('--dir DIR is missing');
  const known = forms.find((one) => one === form);
  if (known === undefined) throw new UsageError(`--form is ${form}, but must be one of ${forms.join(', ')}`);
  return { dir, form: known };
}

/** Resolves with how many files it wrote. Looks at all of them before it writes the first. */
async function writeAll(dir: string, dashboards: readonly ShippedDashboard[]): Promise<number> {
  await mkdir(dir, { recursive: true });
  const files = dashboards.map(({ fileName, uid, text }) => ({ file: path.join(dir, fileName), uid, text }));
  const before = await Promise.all(files.map(({ file }) => readIfThere(file)));
  for (const [index, { file, uid }] of files.entries()) {
    const text = before[index];
    if (text !== undefined && !isOwnFile(text, uid)) {
      throw new Error(`${file} is there and not one of siphon's dashboards; nothing was written`);
    }
  }
  const changed = files.filter(({ text }, index) => before[index] !== text);
  const drafts = changed.map(({ file, text }) => ({ file, text, draft: `${file}.${process.pid}.tmp` }));
  try {
    for (const { draft, text } of drafts) await writeFile(draft, text);
    for (const { draft, file } of drafts) await rename(draft, file);
  } finally {
    await Promise.all(drafts.map(({ draft }) => rm(draft, { force: true })));
  }
  return changed.length;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A resource has its tags in `spec`; plain data has none, but the same uid. */
function isOwnFile(text: string, uid: string): boolean {
  try {
    const content = JSON.parse(text) as { spec?: unknown; uid?: unknown; rows?: unknown } | null;
    return isOwn(content) || isOwn(content?.spec) || (content?.uid === uid && Array.isArray(content.rows));
  } catch {
    return false;
  }
}
