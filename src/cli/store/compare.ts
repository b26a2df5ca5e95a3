import type { Command } from '../command.ts';
import { withStore } from './poll.ts';
import { STORE_OPTIONS } from './store-client.ts';
import type { ComparedTraces, ComparedShare } from '../../engine/stored-telemetry.ts';
import { comparisonText, percentText } from '../../console/comparison-text.ts';
import { fitted, oneLine } from '../../console/store-text.ts';
import { jsonText } from '../../engine/json-text.ts';

/** The parameters of the API have the names of the options, with `_`. */
const OPTIONS = [
  'between',
  'service',
  'operation',
  'metric',
  'spans',
  'status',
  'min-duration',
  'since',
  'until',
] as const;

export const compare: Command = {
  summary: 'show what slow or failed traces of a running sidecar have in common, and others do not',
  optionLines: [
    '--between START,END          the time in question: 15m,10m, or two times such as 2026-01-31T12:00:00Z',
    '--spans slow|all             with --between: what rose among slow and failed spans (default), or in all',
    '--status STATUS              spans with this status instead, in any part of a trace: error, ok or unset',
    '--min-duration DURATION      spans that took at least this long instead, for example 200ms',
    '--service NAME               only spans of this service; * matches any text, here and below',
    '--operation NAME             only spans of this name; default: those with which a service begins its work',
    '--metric NAME                only spans of the operations that exemplars of this metric refer to',
    '--attribute KEY=VALUE        only spans with this attribute; may be repeated',
    '--since TIME, --until TIME   only spans within this time: 15m, or 2026-01-31T12:00:00Z',
    ...STORE_OPTIONS,
  ],
  takes: [...OPTIONS, 'url'],
  takesMany: ['attribute'],
  flags: ['json'],
  example: 'siphon compare --between 15m,10m',
  exitsOneIf: 'if no sidecar answers',
  readsConfig: true,
  async run(options, context) {
    const { given, lists, flags } = options;
    const filters = Object.fromEntries(OPTIONS.map((name) => [name.replace('-', '_'), given[name]]));
    return await withStore(options, context, async (client) => {
      const found = await client.ask<ComparedTraces>('/api/compare', { ...filters, attribute: lists['attribute'] });
      if (!flags.has('json')) return context.print(textOf(found, context.columns));
      for (const one of found.differences) context.print(jsonText(one));
      if (found.hint !== undefined) context.printError(found.hint);
    });
  },
};

function textOf(found: ComparedTraces, columns: number): string {
  const lines = found.differences.map(({ selected, around, difference, attribute, value }) =>
    [
      shareText(selected).padStart(SHARE_WIDTH),
      shareText(around).padStart(SHARE_WIDTH),
      percentText(difference).padStart('DIFFERENCE'.length),
      attribute === undefined ? `span ${oneLine(value)}` : `${oneLine(attribute)} = ${oneLine(value)}`,
    ].join('  '),
  );
  const header = `${'SELECTED'.padStart(SHARE_WIDTH)}  ${'AROUND'.padStart(SHARE_WIDTH)}  DIFFERENCE  PROPERTY`;
  return [comparisonText(found), ...(lines.length > 0 ? ['', header, ...lines] : [])]
    .map((line) => fitted(line, columns))
    .join('\n');
}

const SHARE_WIDTH = 16;

function shareText(share: ComparedShare): string {
  return share.of === 0 ? 'none' : `${share.count} of ${share.of}`;
}
