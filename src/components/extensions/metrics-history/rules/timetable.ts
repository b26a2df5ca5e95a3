import { Budget, SERIES_STEPS, type Steps } from '../../../../promql/budget.ts';
import type { EvaluationSettings } from '../../../../promql/evaluate.ts';
import type { Matcher } from '../../../../promql/matcher.ts';
import { PromqlError } from '../../../../promql/promql-error.ts';
import type { SeriesSource } from '../../../../promql/series-source.ts';
import { inSlices } from '../../../../engine/time-slice.ts';
import { EvaluatedRule } from '../../../../rules/evaluated-rule.ts';
import { readingsOf } from '../../../../rules/reach.ts';
import type { RuleGroup } from '../../../../rules/rule.ts';
import { obstacleOf } from './obstacle.ts';
import { RuleStore } from './rule-store.ts';
import type { TimedSource } from './joined-source.ts';

export interface TimetableSettings {
  readonly evaluation: EvaluationSettings;
  /** How far back the history goes. */
  readonly retentionMs: number;
  readonly maxBytes: number;
  /** How many alerts or series a rule may have, if its group has no limit. */
  readonly limit: number;
}

export interface EvaluatedGroup {
  readonly group: RuleGroup;
  readonly rules: readonly EvaluatedRule[];
  /** Undefined before the first evaluation. */
  lastEvaluationMs: number | undefined;
  durationMs: number;
}

/** The groups with the same interval. They are evaluated together, one after another in the order of the files. */
export class Timetable {
  readonly intervalMs: number;
  readonly store: RuleStore;
  readonly groups: readonly EvaluatedGroup[];
  readonly #settings: TimetableSettings;
  /** Selectors that read further back than the history goes. */
  readonly #copied: readonly (readonly Matcher[])[];
  #lastMs: number | undefined;

  constructor(groups: readonly RuleGroup[], settings: TimetableSettings) {
    const { retentionMs, maxBytes, evaluation } = settings;
    this.#settings = settings;
    this.intervalMs = (groups[0] as RuleGroup).intervalMs;
    this.groups = groups.map((group) => ({
      group,
      rules: group.rules.map((rule) => new EvaluatedRule(rule, obstacleOf(rule))),
      lastEvaluationMs: undefined,
      durationMs: 0,
    }));
    const rules = groups.flatMap((group) => group.rules);
    const readings = rules.flatMap(({ expression }) => readingsOf(expression));
    const reaches = readings.map(({ reachMs }) => reachMs).filter(Number.isFinite);
    const longestMs = Math.max(retentionMs, ...reaches) + evaluation.lookbackMs;
    this.store = new RuleStore({ retentionMs: longestMs, maxBytes }, rules);
    this.#copied = distinct(readings.filter(({ reachMs }) => reachMs > retentionMs).map(({ matchers }) => matchers));
  }

  /** True if an evaluation is due. */
  isDue(nowMs: number): boolean {
    return this.#lastMs === undefined || slotOf(nowMs, this.intervalMs) > slotOf(this.#lastMs, this.intervalMs);
  }

  /** @param source all series: those of the history and those of all rules. */
  async evaluate(atMs: number, history: TimedSource, source: SeriesSource): Promise<void> {
    this.#lastMs = atMs;
    await this.store.record(atMs, async () => {
      for (const matchers of this.#copied) await inSlices(this.#copy(matchers, atMs, history));
      for (const group of this.groups) await this.#evaluateGroup(group, atMs, source);
    });
  }

  async #evaluateGroup(group: EvaluatedGroup, atMs: number, source: SeriesSource): Promise<void> {
    const startMs = performance.now();
    const { evaluation: settings, limit } = this.#settings;
    for (const rule of group.rules) {
      const values = await inSlices(
        rule.evaluate({ atMs, source, settings, limit: group.group.limit === 0 ? limit : group.group.limit }),
      );
      for (const { labels, value } of values) this.store.write(labels, value);
      this.store.finish(rule.rule);
    }
    group.lastEvaluationMs = atMs;
    group.durationMs = performance.now() - startMs;
  }

  *#copy(matchers: readonly Matcher[], atMs: number, history: TimedSource): Steps<void> {
    const { evaluation } = this.#settings;
    const budget = new Budget(evaluation);
    const time = { fromMs: atMs - this.intervalMs, toMs: atMs };
    try {
      for (const series of yield* history.select(matchers, time, budget)) {
        const { values, ended } = series.samples(time);
        const last = values.length - 1;
        if (last >= 0 && ended[last] === 0) this.store.write(series.labels, values[last] as number);
        if (budget.spend(SERIES_STEPS)) yield;
      }
    } catch (error) {
      // The rule that reads them meets the same limit, and reports it.
      if (!(error instanceof PromqlError)) throw error;
    }
  }
}

/** As in Prometheus, evaluations are at multiples of the interval, as exactly as the samples allow. */
function slotOf(ms: number, intervalMs: number): number {
  return Math.floor(ms / intervalMs);
}

function distinct(selectors: readonly (readonly Matcher[])[]): readonly (readonly Matcher[])[] {
  const keyed = selectors.map((matchers): [string, readonly Matcher[]] => [
    JSON.stringify(matchers.map(({ label, operator, text }) => [label, operator, text])),
    matchers,
  ]);
  return [...new Map(keyed).values()];
}
