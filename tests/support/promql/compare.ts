/** The answers of siphon and of Prometheus to one question. */
import { atOnce } from '../../../src/engine/time-slice.ts';
import { evaluateAt, evaluateOver, type EvaluationSettings } from '../../../src/promql/evaluate.ts';
import { PromqlError } from '../../../src/promql/promql-error.ts';
import type { SeriesSource } from '../../../src/promql/series-source.ts';

export interface Question {
  readonly expression: string;
  /** Unix time in seconds. */
  readonly fromS: number;
  readonly toS: number;
  /** 0 for the value at `toS`. */
  readonly stepS: number;
}

/** The values by their time in milliseconds, of each label text; a text for an error. */
export type Answer = ReadonlyMap<string, ReadonlyMap<number, number>> | string;

const SETTINGS: EvaluationSettings = {
  lookbackMs: 300_000,
  subqueryStepMs: 60_000,
  maxSamples: 50_000_000,
  maxSeries: 100_000,
  timeoutMs: 120_000,
};

export function askSiphon(source: SeriesSource, { expression, fromS, toS, stepS }: Question): Answer {
  const toMs = Math.round(toS * 1000);
  try {
    if (stepS > 0) {
      const steps = { startMs: Math.round(fromS * 1000), endMs: toMs, stepMs: Math.round(stepS * 1000) };
      return valuesOf(atOnce(evaluateOver(expression, steps, source, SETTINGS)));
    }
    const result = atOnce(evaluateAt(expression, toMs, source, SETTINGS));
    if (result.type === 'string') return result.text;
    if (result.type === 'scalar') return new Map([['scalar', new Map([[toMs, result.value]])]]);
    return valuesOf(result.series);
  } catch (error) {
    if (error instanceof PromqlError) return `error: ${error.message}`;
    throw error;
  }
}

function valuesOf(
  series: readonly {
    readonly labels: ReadonlyMap<string, string>;
    readonly timesMs: Float64Array;
    readonly values: Float64Array;
  }[],
): Answer {
  return new Map(
    series.map(({ labels, timesMs, values }) => [
      textOf(labels),
      new Map([...timesMs].map((timeMs, index) => [timeMs, values[index] as number])),
    ]),
  );
}

type Pair = readonly [timeS: number, value: string];
interface Result {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: Pair;
  readonly values?: readonly Pair[];
}

export async function askPrometheus(url: string, { expression, fromS, toS, stepS }: Question): Promise<Answer> {
  const parameters: Record<string, string> = { query: expression };
  if (stepS > 0) Object.assign(parameters, { start: String(fromS), end: String(toS), step: String(stepS) });
  else parameters['time'] = String(toS);
  const answer = await fetch(`${url}/api/v1/${stepS > 0 ? 'query_range' : 'query'}`, {
    method: 'POST',
    body: new URLSearchParams(parameters),
  });
  const { status, data, error } = (await answer.json()) as {
    readonly status: string;
    readonly data?: { readonly resultType: string; readonly result: readonly Result[] | Pair };
    readonly error?: string;
  };
  if (status !== 'success' || data === undefined) return `error: ${error}`;
  if (data.resultType === 'scalar') return new Map([['scalar', new Map([timed(data.result as Pair)])]]);
  return new Map(
    (data.result as readonly Result[]).map(({ metric, value, values = value === undefined ? [] : [value] }) => [
      textOf(Object.entries(metric)),
      new Map(values.map(timed)),
    ]),
  );
}

function timed([timeS, value]: Pair): readonly [number, number] {
  return [Math.round(timeS * 1000), value === '+Inf' ? Infinity : value === '-Inf' ? -Infinity : Number(value)];
}

const TOLERANCE = 1e-9;

/** The first difference in words; undefined if the answers are equal. Both may refuse, each in its words. */
export function difference(siphon: Answer, prometheus: Answer): string | undefined {
  if (typeof siphon === 'string' || typeof prometheus === 'string') {
    const refuse = [siphon, prometheus].filter((answer) => typeof answer === 'string');
    return refuse.length === 2
      ? undefined
      : String(refuse[0]) + (typeof siphon === 'string' ? ' (siphon)' : ' (Prometheus)');
  }
  for (const labels of new Set([...siphon.keys(), ...prometheus.keys()])) {
    const [ours, theirs] = [siphon.get(labels), prometheus.get(labels)];
    if (ours === undefined || theirs === undefined)
      return `${labels} only from ${ours === undefined ? 'Prometheus' : 'siphon'}`;
    for (const timeMs of new Set([...ours.keys(), ...theirs.keys()])) {
      const [one, other] = [ours.get(timeMs), theirs.get(timeMs)];
      if (!isClose(one, other)) return `${labels} at ${timeMs}: siphon ${one}, Prometheus ${other}`;
    }
  }
  return undefined;
}

function isClose(one: number | undefined, other: number | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  if (Object.is(one, other) || one === other) return true;
  return Math.abs(one - other) <= TOLERANCE * Math.max(Math.abs(one), Math.abs(other));
}

export function valueCount(answer: Answer): number {
  if (typeof answer === 'string') return 0;
  return [...answer.values()].reduce((count, values) => count + values.size, 0);
}

function textOf(labels: Iterable<readonly [string, string]>): string {
  return JSON.stringify([...labels].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
