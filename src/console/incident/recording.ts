/** The data of an incident file: compressed lines of JSON, each with its kind. */
import type { ErrorGroup, LogRecord, Trace, TraceSummary } from '../../engine/stored-telemetry.ts';
import type { RulesAnswer } from '../alerts.ts';
import type { Labels } from '../data-source.ts';
import type { PageSettings } from '../page-settings.ts';

export interface Recording {
  readonly head: RecordingHead;
  readonly rules?: RulesAnswer;
  /** Other answers, by their path below `/api/`. */
  readonly answers: ReadonlyMap<string, unknown>;
  readonly errors?: readonly ErrorGroup[];
  readonly traces: readonly RecordedTrace[];
  readonly logs: readonly LogRecord[];
  readonly samples: readonly RecordedSamples[];
  readonly exemplars: readonly RecordedExemplars[];
  /** One sentence for each part that is missing or has less than there was. */
  readonly notes: readonly string[];
}

export interface RecordingHead {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly settings: PageSettings;
}

export interface RecordedTrace {
  readonly summary: TraceSummary;
  readonly trace: Trace;
}

/** The samples of one metric, as the history answers them. */
export interface RecordedSamples {
  readonly name: string;
  /** The samples from here on are all that the sidecar had. */
  readonly sinceMs: number;
  readonly lookbackMs: number;
  readonly subqueryStepMs: number;
  readonly moments: readonly (readonly number[])[];
  readonly series: readonly RecordedSeries[];
}

export interface RecordedSeries {
  readonly metric: Labels;
  /** The number of its list of moments. */
  readonly moments: number;
  /** A text is NaN or infinite. Null: the series has ended. */
  readonly values: readonly (number | string | null)[];
}

export interface RecordedExemplars {
  readonly seriesLabels: Labels;
  readonly exemplars: readonly { readonly labels: Labels; readonly value: string; readonly timestamp: number }[];
}

/** The kind of a line and its content. */
export type RecordedLine =
  | ['head', RecordingHead]
  | ['rules', RulesAnswer]
  | ['answer', { readonly path: string; readonly body: unknown }]
  | ['errors', readonly ErrorGroup[]]
  | ['trace', RecordedTrace]
  | ['log', LogRecord]
  | ['samples', RecordedSamples]
  | ['exemplars', readonly RecordedExemplars[]]
  | ['note', string];

/** The place of the data in the built page: an element that is not run, with Base64, which cannot contain markup. */
export const DATA_PLACE = '@recording@';

/** @throws Error if the text is cut or changed. */
export async function readRecording(base64: string): Promise<Recording> {
  const bytes = Uint8Array.from(atob(base64.trim()), (character) => character.codePointAt(0) as number);
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  const lines = (await new Response(plain).text()).trimEnd().split('\n');
  const read = lines.map((line) => JSON.parse(line) as RecordedLine);
  const all = <K extends RecordedLine[0]>(kind: K): Extract<RecordedLine, [K, unknown]>[1][] =>
    read.flatMap((line) => (line[0] === kind ? [line[1] as Extract<RecordedLine, [K, unknown]>[1]] : []));
  const [head] = all('head');
  if (head === undefined) throw new Error('the file has no data');
  const [rules] = all('rules');
  const [errors] = all('errors');
  return {
    head,
    ...(rules !== undefined && { rules }),
    ...(errors !== undefined && { errors }),
    answers: new Map(all('answer').map(({ path, body }) => [path, body])),
    traces: all('trace'),
    logs: all('log'),
    samples: all('samples'),
    exemplars: all('exemplars').flat(),
    notes: all('note'),
  };
}
