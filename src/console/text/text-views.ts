import type { TextView } from '../../engine/query-apis.ts';
import type { ErrorGroups, ListEnd, LogRecord, Trace, TraceSummary } from '../../engine/stored-telemetry.ts';
import type { RulesAnswer } from '../alerts.ts';
import type { DatabaseState } from '../database-state.ts';
import type { PipelinesState } from '../pipelines-state.ts';
import { counted, MORE_FIT, NONE_FITS } from '../store-text.ts';
import { itemLine, sampleText, type ShownSample } from '../tap-sample.ts';
import { idPairOf } from '../trace-pair.ts';
import type { TraceComparison } from '../trace-comparison.ts';
import { textOf } from '../unit-text.ts';
import { alertsText } from './alerts-text.ts';
import { databaseText } from './database-text.ts';
import { errorsText } from './errors-text.ts';
import { logText } from './log-text.ts';
import { pipelinesText } from './pipelines-text.ts';
import { traceComparisonText } from './trace-comparison-text.ts';
import { tracesText } from './traces-text.ts';
import { waterfall } from './waterfall.ts';

/** Undefined for an address that is only a page. */
export function textView(path: string): TextView | undefined {
  const [, name = '', id] = path.split('/');
  if (name === 'traces' && id !== undefined && id !== '')
    return idPairOf(id) === undefined ? traceView(id) : pairView(id);
  return id === undefined ? lists.get(name) : undefined;
}

/** A terminal that is not known may be wide. */
const COLUMNS = 120;

function traceView(id: string): TextView {
  return {
    path: `/api/traces/${id}`,
    text: (answer) => [...waterfall(answer as Trace, { columns: COLUMNS, hasColours: false })].join('\n'),
  };
}

function pairView(ids: string): TextView {
  return {
    path: `/api/trace-comparison/${ids}`,
    text: (answer) => traceComparisonText(answer as TraceComparison, { columns: COLUMNS }),
  };
}

interface RunningNow {
  readonly version: string;
  readonly status: string;
  readonly uptimeSeconds: number;
}

function serviceText({ version, status, uptimeSeconds }: RunningNow): string {
  return [
    `siphon ${version} is ${status}, up ${textOf(uptimeSeconds, 's')}`,
    ...[...lists.keys()].filter((name) => name !== '').map((name) => `/${name}`),
    '/traces/ID',
    '/traces/ID...ID',
  ].join('\n');
}

interface Answer extends ListEnd {
  readonly next: number;
}

function listText(text: string, { more }: ListEnd): string {
  return more ? `${text}\n${MORE_FIT}` : text;
}

const lists: ReadonlyMap<string, TextView> = new Map(
  Object.entries({
    '': { path: '/api/service', text: (answer: unknown) => serviceText(answer as RunningNow) },
    traces: {
      path: '/api/traces',
      text: (answer: unknown) => {
        const { traces, ...end } = answer as Answer & { readonly traces: readonly TraceSummary[] };
        return traces.length === 0 ? (end.hint ?? NONE_FITS.traces) : listText(tracesText(traces), end);
      },
    },
    logs: {
      path: '/api/logs',
      text: (answer: unknown) => {
        const { logs, ...end } = answer as Answer & { readonly logs: readonly LogRecord[] };
        return logs.length === 0 ? (end.hint ?? NONE_FITS.logs) : listText(logs.map(logText).join('\n'), end);
      },
      page: (answer: unknown) => {
        const { logs, next } = answer as Answer & { readonly logs: readonly LogRecord[] };
        return { after: String(next), isEmpty: logs.length === 0 };
      },
    },
    errors: {
      path: '/api/errors',
      text: (answer: unknown) => {
        const { errors, left, hint = NONE_FITS.errors } = answer as ErrorGroups;
        const more = left > 0 ? [counted(left, 'more group')] : [];
        return errors.length === 0 ? hint : [errorsText(errors), ...more].join('\n\n');
      },
    },
    database: { path: '/api/database', text: (answer: unknown) => databaseText(answer as DatabaseState) },
    pipelines: { path: '/api/pipelines', text: (answer: unknown) => pipelinesText(answer as PipelinesState) },
    tap: {
      path: '/api/tap',
      text: (answer: unknown) => {
        const sample = answer as ShownSample;
        return [sampleText(sample), ...sample.shown.map(itemLine)].join('\n');
      },
      page: (answer: unknown) => ({ after: '', isEmpty: (answer as ShownSample).batches === 0 }),
    },
    configuration: {
      path: '/api/configuration',
      text: (answer: unknown) => (answer as { readonly yaml: string }).yaml,
    },
    alerts: {
      path: '/api/v1/rules',
      parameters: { type: 'alert' },
      text: (answer: unknown) => alertsText((answer as { readonly data: RulesAnswer }).data, Date.now()),
    },
  }),
);
