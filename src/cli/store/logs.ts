import type { Command } from '../command.ts';
import { pagesOf, withStore, type Page } from './poll.ts';
import { STORE_OPTIONS } from './store-client.ts';
import type { LogRecord } from '../../engine/stored-telemetry.ts';
import { jsonText } from '../../engine/json-text.ts';
import { logText } from '../../console/text/log-text.ts';
import { MORE_FIT, NONE_FITS } from '../../console/store-text.ts';

const FILTERS = ['trace', 'service', 'severity', 'text', 'since', 'until', 'limit'] as const;

export const logs: Command = {
  summary: 'show log lines of a running sidecar, in the order of time',
  optionLines: [
    '--trace ID                   lines of this trace',
    '--service NAME               lines of this service; * matches any text',
    '--severity NAME              lines of this severity or a higher one: trace, debug, info, warn, error or fatal',
    '--text TEXT                  lines that contain this text, in upper or lower case',
    '--attribute KEY=VALUE        lines with this attribute; may be repeated',
    '--since TIME, --until TIME   within this time: 15m for a quarter of an hour ago, or 2026-01-31T12:00:00Z',
    '--limit N                    how many, the newest ones; default: 100',
    '--follow                     continue with those that arrive, until interrupted',
    ...STORE_OPTIONS,
  ],
  takes: [...FILTERS, 'url'],
  takesMany: ['attribute'],
  flags: ['json', 'follow'],
  example: 'siphon logs --severity warn --since 15m',
  exitsOneIf: 'if no sidecar answers',
  readsConfig: true,
  async run(options, context) {
    const { given, lists, flags } = options;
    const asked = {
      ...Object.fromEntries(FILTERS.map((name) => [name, given[name]])),
      attribute: lists['attribute'],
    };
    return await withStore(options, context, async (client) => {
      const pages = pagesOf(flags.has('follow'), (after) =>
        client.ask<Page & { readonly logs: readonly LogRecord[] }>('/api/logs', { ...asked, after }),
      );
      let isFirst = true;
      for await (const { logs: found, hint, more } of pages) {
        for (const log of found) context.print(flags.has('json') ? jsonText(log) : logText(log));
        if (isFirst && found.length === 0 && !flags.has('json')) context.printError(hint ?? NONE_FITS.logs);
        if (more) context.printError(MORE_FIT);
        isFirst = false;
      }
    });
  },
};
