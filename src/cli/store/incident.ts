import { writeFile } from 'node:fs/promises';
import { recordIncident } from '../../console/incident/record.ts';
import type { PageSettings } from '../../console/page-settings.ts';
import { describeError } from '../../engine/describe-error.ts';
import { parseDuration } from '../../engine/schema/duration.ts';
import type { ServerAddress } from '../component-address.ts';
import { UsageError, type Command } from '../command.ts';
import { withStore } from './poll.ts';
import { StoreUnavailable, type Answering } from './store-client.ts';

const DEFAULT_LAST = '15m';

export const incident: Command = {
  summary: 'write the console and its data of the last minutes into one HTML file',
  optionLines: [
    `--last DURATION              the time up to now that the file shows; default: ${DEFAULT_LAST}`,
    '--out FILE                   the file to write; default: siphon-incident-TIME.html',
    '--url URL                    the address of the console, instead of the one in the configuration',
  ],
  takes: ['last', 'out', 'url'],
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
            settings: JSON.parse(await client.file('/settings.json')) as PageSettings,
            page: await client.file('/incident.html'),
          },
          { fromMs: untilMs - lastMs, untilMs },
        );
        const file = out ?? name;
        await writeFile(file, html).catch((error: unknown) => {
          throw new StoreUnavailable(`${file} cannot be written: ${describeError(error)}`, { cause: error });
        });
        context.print(`${file} (${(html.length / 1024 / 1024).toFixed(1)} MiB)`);
        for (const note of notes) context.printError(note);
      },
      CONSOLE,
    );
  },
};

const CONSOLE: Answering = {
  type: 'console',
  missing: 'the configuration has no console\nAdd it to `extensions` and `service::extensions`',
  addressIn: ({ extensions, service }) => {
    const found = service.extensions.find((id) => extensions.get(id)?.factory.type === 'console');
    return found === undefined ? undefined : (extensions.get(found)?.config as ServerAddress);
  },
};
