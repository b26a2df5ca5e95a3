import type { Command } from '../command.ts';
import { errorOf, errorText } from '../../console/trace-errors.ts';
import { pagesOf, withStore, type Page } from './poll.ts';
import { STORE_OPTIONS } from './store-client.ts';
import type { LogRecord } from '../../engine/stored-telemetry.ts';
import { jsonText, linesOf, oneLine, severityName, timeText, valueText } from '../../console/store-text.ts';

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
      for await (const { logs: found, hint } of pages) {
        for (const log of found) context.print(flags.has('json') ? jsonText(log) : lineOf(log));
        if (isFirst && found.length === 0 && !flags.has('json')) context.printError(hint ?? 'no log line fits');
        isFirst = false;
      }
    });
  },
};

/** A line break of the body is one here, too. Further lines are indented. */
function lineOf(log: LogRecord): string {
  const { timeUnixNano, service, body, traceId, attributes, spanId } = log;
  const [first = '', ...rest] = linesOf(valueText(body));
  const pairs = Object.entries(attributes)
    .filter(([name]) => !name.startsWith('exception.'))
    .map(([name, value]) => `${name}=${valueText(value)}`);
  const trace = traceId === undefined ? [] : [`trace=${traceId}`];
  const text = [timeText(timeUnixNano), severityName(log).padEnd(5), oneLine(service), first].join(' ');
  const error = errorOf(spanId, attributes);
  const below = [...rest, ...(error === undefined ? [] : [errorText(error), error.place])].filter(
    (line) => line !== '',
  );
  return [[text, ...[...pairs, ...trace].map(oneLine)].join('  '), ...below.map((line) => `    ${line}`)].join('\n');
}
