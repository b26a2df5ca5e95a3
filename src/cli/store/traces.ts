import type { Command } from '../command.ts';
import { pagesOf, withStore, type Page } from './poll.ts';
import { STORE_OPTIONS } from './store-client.ts';
import type { TraceSummary } from '../../engine/stored-telemetry.ts';
import { jsonText } from '../../engine/json-text.ts';
import { tracesText } from '../../console/text/traces-text.ts';
import { MORE_FIT, NONE_FITS } from '../../console/store-text.ts';

/** The parameters of the API have the names of the options, with `_`. */
const FILTERS = ['service', 'operation', 'status', 'min-duration', 'max-duration', 'since', 'until', 'limit'] as const;

export const traces: Command = {
  summary: 'list traces of a running sidecar, newest first',
  optionLines: [
    '--service NAME               traces with a span of this service; * matches any text, here and below',
    '--operation NAME             with a span of this name',
    '--status STATUS              with a span of this status: error, ok or unset; without it, --operation and',
    '                             --attribute, the other conditions are for spans with which a service begins its work',
    '--min-duration DURATION      with a span that took at least this long, for example 200ms',
    '--max-duration DURATION      with a span that took at most this long',
    '--attribute KEY=VALUE        with a span that has this attribute; may be repeated',
    '--since TIME, --until TIME   within this time: 15m for a quarter of an hour ago, or 2026-01-31T12:00:00Z',
    '--limit N                    how many; default: 20',
    '--follow                     continue with those that arrive, until interrupted',
    ...STORE_OPTIONS,
  ],
  takes: [...FILTERS, 'url'],
  takesMany: ['attribute'],
  flags: ['json', 'follow'],
  example: 'siphon traces --service coffee --status error --since 15m',
  exitsOneIf: 'if no sidecar answers',
  readsConfig: true,
  async run(options, context) {
    const { given, lists, flags } = options;
    const filters = Object.fromEntries(FILTERS.map((name) => [name.replace('-', '_'), given[name]]));
    const asked = { ...filters, attribute: lists['attribute'] };
    return await withStore(options, context, async (client) => {
      const pages = pagesOf(flags.has('follow'), (after) =>
        client.ask<Page & { readonly traces: readonly TraceSummary[] }>('/api/traces', { ...asked, after }),
      );
      let isFirst = true;
      for await (const { traces: found, hint, more } of pages) {
        if (flags.has('json')) for (const summary of found) context.print(jsonText(summary));
        else if (found.length > 0) context.print(tracesText(found, { columns: context.columns, withHeader: isFirst }));
        else if (isFirst) context.printError(hint ?? NONE_FITS.traces);
        if (more) context.printError(MORE_FIT);
        isFirst &&= found.length === 0;
      }
    });
  },
};
