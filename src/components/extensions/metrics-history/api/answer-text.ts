/** Results in the JSON of Prometheus's HTTP API. Written piece by piece, in steps. */
import type { InstantResult } from '../../../../promql/evaluate.ts';
import type { Steps } from '../../../../promql/budget.ts';
import type { ResultSeries } from '../../../../promql/evaluation/evaluation.ts';
import { decimalText } from '../../../../promql/evaluation/decimal-text.ts';
import type { Labels } from '../../../../promql/labels.ts';
import { PromqlError } from '../../../../promql/promql-error.ts';
import type { StoredExemplar } from '../store/exemplar-list.ts';
import { jsonText } from '../../../../engine/json-text.ts';

/** A reader cannot draw more than this. */
const MAX_LENGTH = 32 * 1024 * 1024;

export function* instantText(result: InstantResult, atMs: number): Steps<string> {
  switch (result.type) {
    case 'scalar':
      return `{"resultType":"scalar","result":${pairText(atMs, result.value)}}`;
    case 'string':
      return `{"resultType":"string","result":[${atMs / 1000},${jsonText(result.text)}]}`;
    case 'vector':
      return `{"resultType":"vector","result":${yield* seriesText(result.series, ({ values }) => `"value":${pairText(atMs, values[0] as number)}`)}}`;
    case 'matrix':
      return yield* matrixText(result.series);
  }
}

export function* matrixText(series: readonly ResultSeries[]): Steps<string> {
  return `{"resultType":"matrix","result":${yield* seriesText(series, valuesText)}}`;
}

function* seriesText(series: readonly ResultSeries[], valueText: (one: ResultSeries) => string): Steps<string> {
  return yield* listText(series, (one) => `{"metric":${jsonText(Object.fromEntries(one.labels))},${valueText(one)}}`);
}

export function* exemplarsText(
  series: readonly { readonly labels: Labels; readonly exemplars: readonly StoredExemplar[] }[],
): Steps<string> {
  return yield* listText(series, ({ labels, exemplars }) => {
    const texts = exemplars.map(
      ({ value, timeMs, traceId, spanId }) =>
        `{"labels":${jsonText({ ...(spanId !== '' && { span_id: spanId }), trace_id: traceId })},` +
        `"value":"${decimalText(value)}","timestamp":${timeMs / 1000}}`,
    );
    return `{"seriesLabels":${jsonText(Object.fromEntries(labels))},"exemplars":[${texts.join(',')}]}`;
  });
}

export function* listText<T>(items: readonly T[], textOf: (item: T) => string): Steps<string> {
  const texts: string[] = [];
  let length = 0;
  for (const item of items) {
    const text = textOf(item);
    length += text.length;
    if (length > MAX_LENGTH)
      throw new PromqlError('execution', 'the answer is longer than 32 MiB: choose fewer series or steps');
    texts.push(text);
    yield;
  }
  return `[${texts.join(',')}]`;
}

function valuesText({ timesMs, values }: ResultSeries): string {
  const pairs = Array.from(timesMs, (timeMs, index) => pairText(timeMs, values[index] as number));
  return `"values":[${pairs.join(',')}]`;
}

function pairText(timeMs: number, value: number): string {
  return `[${timeMs / 1000},"${decimalText(value)}"]`;
}
