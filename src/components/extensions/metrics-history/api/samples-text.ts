import { jsonText } from '../../../../engine/json-text.ts';
import type { Budget, Steps } from '../../../../promql/budget.ts';
import type { EvaluationSettings } from '../../../../promql/evaluate.ts';
import { decimalText } from '../../../../promql/evaluation/decimal-text.ts';
import type { Samples, StoredSeries, TimeRange } from '../../../../promql/series-source.ts';
import { listText } from './answer-text.ts';

/** The samples of series as they are stored. Most series have samples at the same moments, so these are written once. */
export function* samplesText(
  series: readonly StoredSeries[],
  time: TimeRange,
  { settings, budget }: { readonly settings: EvaluationSettings; readonly budget: Budget },
): Steps<string> {
  const moments = new Moments();
  const list = yield* listText(series, (one) => {
    const found = one.samples(time);
    budget.take(found.timesMs.length);
    const values = Array.from(found.values, (value, index) => (found.ended[index] === 1 ? 'null' : valueText(value)));
    const metric = jsonText(Object.fromEntries(one.labels));
    return `{"metric":${metric},"moments":${moments.numberOf(found)},"values":[${values.join(',')}]}`;
  });
  const { lookbackMs, subqueryStepMs } = settings;
  return `{"lookbackMs":${lookbackMs},"subqueryStepMs":${subqueryStepMs},"moments":${moments.text()},"series":${list}}`;
}

/** JSON has no other form for NaN and infinity. */
function valueText(value: number): string {
  if (!Number.isFinite(value)) return `"${decimalText(value)}"`;
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Lists of moments, each once. */
class Moments {
  readonly #texts = new Map<string, number>();

  numberOf({ timesMs }: Samples): number {
    const text = timesMs.join(',');
    const number = this.#texts.get(text) ?? this.#texts.size;
    this.#texts.set(text, number);
    return number;
  }

  text(): string {
    return `[${[...this.#texts.keys()].map((text) => `[${text}]`).join(',')}]`;
  }
}
