import type { Command } from '../command.ts';
import { withStore } from './poll.ts';
import { STORE_OPTIONS } from './store-client.ts';
import type { Exemplar, ListEnd } from '../../engine/stored-telemetry.ts';
import { clockText, durationText, fitted, MORE_FIT, oneLine } from '../../console/store-text.ts';
import { jsonText } from '../../engine/json-text.ts';

interface MetricExemplars extends ListEnd {
  readonly metric: string;
  readonly unit: string;
  readonly exemplars: readonly Exemplar[];
}

export const exemplars: Command = {
  summary: 'list the exemplars of a metric of a running sidecar, with the spans that they refer to',
  argument: 'METRIC',
  optionLines: [
    'METRIC                       its name in OpenTelemetry or in Prometheus',
    '--limit N                    how many, the newest ones; default: all that are kept, at most 100',
    ...STORE_OPTIONS,
  ],
  takes: ['limit', 'url'],
  flags: ['json'],
  example: 'siphon exemplars http.server.request.duration',
  exitsOneIf: 'if the metric has no exemplars, or no sidecar answers',
  readsConfig: true,
  async run(options, context) {
    const { argument: metric = '', flags, given } = options;
    return await withStore(options, context, async (client) => {
      const found = await client.ask<MetricExemplars>('/api/exemplars', { metric, limit: given['limit'] });
      if (flags.has('json')) for (const exemplar of found.exemplars) context.print(jsonText(exemplar));
      else context.print(tableOf(found, context.columns));
      if (found.more) context.printError(MORE_FIT);
    });
  },
};

const ID_DIGITS = 16;

function tableOf({ metric, unit, exemplars: found }: MetricExemplars, columns: number): string {
  const lines = found.map(({ value, timeUnixNano, traceId, span }) =>
    [
      valueIn(value, unit).padStart(9),
      clockText(timeUnixNano).padEnd(8),
      traceId.slice(0, ID_DIGITS),
      span === undefined ? 'its span is not in the store' : spanText(span),
    ].join('  '),
  );
  const header = `    VALUE  TIME      ${'TRACE'.padEnd(ID_DIGITS)}  SPAN`;
  return [oneLine(metric), header, ...lines].map((line) => fitted(line, columns)).join('\n');
}

function spanText({ service, name, status }: NonNullable<Exemplar['span']>): string {
  return oneLine(`${status.code === 'error' ? '✗ ' : ''}${service}  ${name}`);
}

function valueIn(value: number, unit: string): string {
  if (unit === 's') return durationText(value * 1000);
  if (unit === 'ms') return durationText(value);
  return `${Number(value.toPrecision(4))} ${unit.startsWith('{') ? '' : unit}`.trim();
}
