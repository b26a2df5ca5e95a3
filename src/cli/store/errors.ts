import type { Command } from '../command.ts';
import { withStore } from './poll.ts';
import { STORE_OPTIONS } from './store-client.ts';
import type { ErrorGroups } from '../../engine/stored-telemetry.ts';
import { jsonText } from '../../engine/json-text.ts';
import { errorsText } from '../../console/text/errors-text.ts';
import { counted, NONE_FITS } from '../../console/store-text.ts';

const FILTERS = ['service', 'since', 'until'] as const;

export const errors: Command = {
  summary: 'list the exceptions of a running sidecar in groups, newest first',
  optionLines: [
    '--service NAME               exceptions of this service; * matches any text',
    '--attribute KEY=VALUE        of spans and log lines with this attribute; may be repeated',
    '--since TIME, --until TIME   within this time: 15m for a quarter of an hour ago, or 2026-01-31T12:00:00Z',
    ...STORE_OPTIONS,
  ],
  takes: [...FILTERS, 'url'],
  takesMany: ['attribute'],
  flags: ['json'],
  example: 'siphon errors --since 15m',
  exitsOneIf: 'if no sidecar answers',
  readsConfig: true,
  async run(options, context) {
    const { given, lists, flags } = options;
    const filters = Object.fromEntries(FILTERS.map((name) => [name, given[name]]));
    return await withStore(options, context, async (client) => {
      const found = await client.ask<ErrorGroups>('/api/errors', { ...filters, attribute: lists['attribute'] });
      if (flags.has('json')) for (const group of found.errors) context.print(jsonText(group));
      else if (found.errors.length > 0) context.print(errorsText(found.errors));
      else context.printError(found.hint ?? NONE_FITS.errors);
      if (found.left > 0) context.printError(counted(found.left, 'more group'));
    });
  },
};
