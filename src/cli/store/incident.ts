import { rm, writeFile } from 'node:fs/promises';
import { recordIncident, type AskedConsole } from '../../console/incident/record.ts';
import { DATA_PLACE } from '../../console/incident/recording.ts';
import type { PageSettings } from '../../console/page-settings.ts';
import { describeError } from '../../engine/describe-error.ts';
import { parseDuration } from '../../engine/schema/duration.ts';
import type { ServerAddress } from '../component-address.ts';
import { UsageError, type Command } from '../command.ts';
import { withStore } from './poll.ts';
import { StoreUnavailable, type Answering, type StoreClient } from './store-client.ts';

const DEFAULT_LAST = '15m';

export const incident: Command = {
  summary: 'write the console and its data of the last minutes into one HTML file',
  optionLines: [
    `--last DURATION              the time up to now that the file shows; default: ${DEFAULT_LAST}`,
    '--out FILE                   the file to write; default: siphon-incident-TIME.html',
    '--url URL                    the address of the console, instead of the one in the configuration',
    '--force                      replace the file if it exists',
  ],
  takes: ['last', 'out', 'url'],
  flags: ['force'],
  example: 'siphon incident --last 15m',
  exitsOneIf: 'if no sidecar answers or the file cannot be written',
  readsConfig: true,
  async run(options, context) {
    const { last = DEFAULT_LAST, out } = options.given;
    const lastMs = parseDuration(last) ?? 0;
    if (lastMs <= 0) throw new UsageError('--last must be a duration such as 15m');
    return await withStore(
      options,
      context,
      async (client) => {
        const untilMs = Date.now();
        const { name, html, notes } = await recordIncident(
          {
            ask: async (path, query) => await client.ask(`/api/${path}`, query),
            ...(await pageOf(client)),
          },
          { fromMs: untilMs - lastMs, untilMs },
        );
        const file = out ?? name;
        await write(file, html, options.flags.has('force'));
        context.print(`${file} (${(html.length / 1024 / 1024).toFixed(1)} MiB)`);
        for (const note of notes) context.printError(note);
      },
      CONSOLE,
    );
  },
};

/** @throws StoreUnavailable if another program answers. */
async function pageOf(client: StoreClient): Promise<Pick<AskedConsole, 'settings' | 'page'>> {
  const settings = settingsIn(await client.file('/settings.json'));
  const page = settings === undefined ? '' : await client.file('/incident.html');
  if (settings === undefined || !page.includes(DATA_PLACE)) {
    throw new StoreUnavailable(`${client.origin} is not a console: name the address of one with --url`);
  }
  return { settings, page };
}

function settingsIn(text: string): PageSettings | undefined {
  try {
    const settings = JSON.parse(text) as Partial<PageSettings> | null;
    const isComplete = Array.isArray(settings?.dashboards) && Array.isArray(settings.views);
    return isComplete ? (settings as PageSettings) : undefined;
  } catch {
    return undefined;
  }
}

/** Only for the user, and never through a link: the folder may be one that others write to, too. */
async function write(file: string, html: string, replaces: boolean): Promise<void> {
  try {
    if (replaces) await rm(file, { force: true });
    await writeFile(file, html, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === 'EEXIST';
    const problem = exists
      ? 'exists: choose another name with --out, or replace it with --force'
      : `cannot be written: ${describeError(error)}`;
    throw new StoreUnavailable(`${file} ${problem}`, { cause: error });
  }
}

const CONSOLE: Answering = {
  type: 'console',
  missing: 'the configuration has no console\nAdd it to `extensions` and `service::extensions`',
  addressIn: ({ extensions, service }) => {
    const found = service.extensions.find((id) => extensions.get(id)?.factory.type === 'console');
    return found === undefined ? undefined : (extensions.get(found)?.config as ServerAddress);
  },
};
