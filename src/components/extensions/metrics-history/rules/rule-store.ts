import { NO_ROOM, SINGLE } from '../../../../engine/metric-history.ts';
import { METRIC_NAME, withoutName, type Labels } from '../../../../promql/labels.ts';
import type { Budget, Steps } from '../../../../promql/budget.ts';
import type { Matcher } from '../../../../promql/matcher.ts';
import type { Samples, SeriesSource, StoredSeries, TimeRange } from '../../../../promql/series-source.ts';
import type { Rule } from '../../../../rules/rule.ts';
import { History, type HistoryLimits } from '../store/history.ts';
import { labelText } from '../store/label-text.ts';

/**
 * The results of rules, and copies of the series that they read further back than the history goes: a sample for each
 * evaluation.
 */
export class RuleStore implements SeriesSource {
  readonly history: History;
  readonly #written: readonly string[];
  /** The series whose rules are not evaluated yet at this moment still have their previous value. */
  readonly #pending = new Map<string, number>();
  #atMs = NaN;

  constructor(limits: HistoryLimits, rules: readonly Rule[]) {
    this.history = new History(limits);
    this.#written = rules.flatMap(writtenBy);
  }

  get time(): TimeRange | undefined {
    return this.history.time;
  }

  get series(): number {
    return this.history.series;
  }

  get sizeBytes(): number {
    return this.history.sizeBytes;
  }

  /** The series of the last evaluation that had no room. */
  get leftOut(): number {
    return this.history.leftOut;
  }

  /** Writes one evaluation. */
  async record(atMs: number, write: () => Promise<void>): Promise<void> {
    for (const key of this.#written) this.#pending.set(key, (this.#pending.get(key) ?? 0) + 1);
    this.#atMs = atMs;
    try {
      await this.history.record(atMs, write);
    } finally {
      this.#pending.clear();
    }
  }

  /** The value of a series at the moment that is being written. */
  write(labels: Labels, value: number): void {
    const group = {
      name: labels.get(METRIC_NAME) ?? '',
      labels: labelText(withoutName(labels)),
      parts: SINGLE,
    };
    const number = this.history.numberOf(group);
    if (number !== NO_ROOM) this.history.write(number, value);
  }

  /** The rule has written all that it has: its other series have ended. */
  finish(rule: Rule): void {
    for (const key of writtenBy(rule)) this.#pending.set(key, (this.#pending.get(key) ?? 0) - 1);
  }

  *select(matchers: readonly Matcher[], time: TimeRange, budget: Budget): Steps<readonly StoredSeries[]> {
    const found = yield* this.history.select(matchers, time, budget);
    return found.map((series) => ({
      labels: series.labels,
      samples: (of) => {
        const samples = series.samples(of);
        return this.#isPending(series.labels) ? this.#withoutEndNow(samples) : samples;
      },
    }));
  }

  #isPending(labels: Labels): boolean {
    return (this.#pending.get(pendingKey(labels.get(METRIC_NAME), labels.get('alertname'))) ?? 0) > 0;
  }

  #withoutEndNow(samples: Samples): Samples {
    const last = samples.timesMs.length - 1;
    if (samples.ended[last] !== 1 || samples.timesMs[last] !== this.#atMs) return samples;
    return {
      timesMs: samples.timesMs.subarray(0, last),
      values: samples.values.subarray(0, last),
      ended: samples.ended.subarray(0, last),
    };
  }
}

const ALERT_METRICS = ['ALERTS', 'ALERTS_FOR_STATE'];

function writtenBy({ kind, name }: Rule): readonly string[] {
  return kind === 'recording' ? [pendingKey(name)] : ALERT_METRICS.map((metric) => pendingKey(metric, name));
}

function pendingKey(metric = '', alertname = ''): string {
  return ALERT_METRICS.includes(metric) ? `${metric} ${alertname}` : metric;
}
