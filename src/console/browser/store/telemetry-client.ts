import type { RulesAnswer } from '../../alerts.ts';
import type { DatabaseState } from '../../database-state.ts';
import type { PipelinesState } from '../../pipelines-state.ts';
import type { ShownSample } from '../../tap-sample.ts';
import type { TraceComparison } from '../../trace-comparison.ts';
import type { ComparedTraces, ErrorGroups, LogRecord, Trace, TraceSummary } from '../../../engine/stored-telemetry.ts';

export type Query = Readonly<Record<string, string | undefined>>;

export interface TraceList {
  readonly traces: readonly TraceSummary[];
  /** How many more fit, but not into the answer. */
  readonly left: number;
  readonly hint?: string;
}

export interface LogList {
  readonly logs: readonly LogRecord[];
  readonly left: number;
  /** The parameter `after` of the next query. */
  readonly next: number;
  readonly hint?: string;
}

/** Asks the sidecar. Each function throws an `Error` with a message that a reader can act on. */
export const telemetry = {
  traces: async (query: Query): Promise<TraceList> => await ask('traces', query),
  trace: async (id: string): Promise<Trace> => await ask(`traces/${encodeURIComponent(id)}`),
  traceComparison: async (ids: readonly [string, string]): Promise<TraceComparison> =>
    await ask(`trace-comparison/${ids.map(encodeURIComponent).join('...')}`),
  logs: async (query: Query): Promise<LogList> => await ask('logs', query),
  errors: async (query: Query): Promise<ErrorGroups> => await ask('errors', query),
  rules: async (): Promise<RulesAnswer> =>
    (await ask<{ readonly data: RulesAnswer }>('v1/rules', { type: 'alert' })).data,
  /** The addresses of the Alertmanagers. */
  alertmanagers: async (): Promise<readonly string[]> => {
    const { data } = await ask<{
      readonly data: { readonly activeAlertmanagers: readonly { readonly url: string }[] };
    }>('v1/alertmanagers');
    return data.activeAlertmanagers.map(({ url }) => url.replace(/\/api\/v2\/alerts$/, ''));
  },
  comparison: async (query: Query): Promise<ComparedTraces> => await ask('compare', query),
  database: async (): Promise<DatabaseState> => await ask('database'),
  pipelines: async (): Promise<PipelinesState> => await ask('pipelines'),
  configuration: async (): Promise<{ readonly yaml: string }> => await ask('configuration'),
  tap: async (pipeline: string, edge: number): Promise<ShownSample> =>
    await ask('tap', { pipeline, edge: String(edge) }),
};

/** Answers a question of the page. @param path below `/api/`. @throws Error with a message that a reader can act on. */
export type AnswerQuestion = (path: string, query: Query) => Promise<unknown>;

let answerQuestion: AnswerQuestion = askSidecar;

/** From now on, these answers are shown instead of those of the sidecar. */
export function answerWith(other: AnswerQuestion): void {
  answerQuestion = other;
}

async function ask<T>(path: string, query: Query = {}): Promise<T> {
  return (await answerQuestion(path, query)) as T;
}

/** Asks the sidecar that serves the page. */
export async function askSidecar(path: string, query: Query): Promise<unknown> {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== '') parameters.set(name, value);
  const answer = await fetch(`/api/${path}?${parameters.toString()}`).catch(() => undefined);
  if (answer === undefined) throw new Error('The sidecar does not answer. Is it still running?');
  const body = (await answer.json()) as { readonly error?: string };
  if (!answer.ok) throw new Error(body.error ?? `The sidecar answers with status ${answer.status}`);
  return body;
}
