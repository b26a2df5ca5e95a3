/** One rule with what its latest evaluation found. */
import { Budget, type Steps } from '../promql/budget.ts';
import { valueAt, type EvaluationContext, type EvaluationSettings, type InstantResult } from '../promql/evaluate.ts';
import {
  drop,
  keyOf,
  labelsOf,
  METRIC_NAME,
  NO_LABELS,
  withLabel,
  withoutName,
  type Labels,
} from '../promql/labels.ts';
import { PromqlError } from '../promql/promql-error.ts';
import type { SeriesSource } from '../promql/series-source.ts';
import { alertKey, AlertStates, type RaisedAlert } from './alert-states.ts';
import type { AlertingRule, RecordingRule, Rule } from './rule.ts';
import type { Template } from './template/template.ts';

export interface Moment {
  readonly atMs: number;
  readonly source: SeriesSource;
  readonly settings: EvaluationSettings;
  /** How many series or alerts the rule may have; 0 for no limit. */
  readonly limit: number;
}

export interface RecordedValue {
  readonly labels: Labels;
  readonly value: number;
}

export class EvaluatedRule {
  readonly rule: Rule;
  readonly alerts: AlertStates;
  /** `unknown` before the first evaluation, and for ever if it cannot be evaluated here. */
  health: 'unknown' | 'ok' | 'err' = 'unknown';
  /** Why the latest evaluation failed, or why the rule is never evaluated. */
  problem: string | undefined;
  lastEvaluationMs: number | undefined;
  durationMs = 0;
  readonly #isPossible: boolean;

  /** @param obstacle why the rule cannot be evaluated at all. */
  constructor(rule: Rule, obstacle: string | undefined) {
    this.rule = rule;
    this.alerts = new AlertStates(rule.kind === 'alerting' ? rule : { holdMs: 0, keepFiringMs: 0 });
    this.problem = obstacle;
    this.#isPossible = obstacle === undefined;
  }

  /** The series that the rule writes. A rule that fails writes none, and its alerts stay as they are. */
  *evaluate(moment: Moment): Steps<readonly RecordedValue[]> {
    if (!this.#isPossible) return [];
    const startMs = performance.now();
    this.lastEvaluationMs = moment.atMs;
    try {
      const values = yield* this.#valuesOf(moment);
      this.health = 'ok';
      this.problem = undefined;
      return values;
    } catch (error) {
      if (!(error instanceof PromqlError)) throw error;
      this.health = 'err';
      this.problem = error.message;
      return [];
    } finally {
      this.durationMs = performance.now() - startMs;
    }
  }

  *#valuesOf({ atMs, source, settings, limit }: Moment): Steps<readonly RecordedValue[]> {
    const context = { source, settings, budget: new Budget(settings) };
    const found = vectorOf(yield* valueAt(this.rule.expression, atMs, context));
    if (this.rule.kind === 'recording') return yield* recorded(this.rule, found, { ...context, limit });
    this.alerts.update(yield* raised(this.rule, found, context), atMs);
    const { active } = this.alerts;
    if (limit > 0 && active.length > limit) {
      this.alerts.clear();
      throw new PromqlError('execution', `the rule has ${active.length} alerts, and its limit is ${limit}`);
    }
    return active.flatMap((alert) => [
      {
        labels: labelsOf([...alert.labels, [METRIC_NAME, 'ALERTS'], ['alertstate', alert.state]]),
        value: 1,
      },
      {
        labels: labelsOf([...alert.labels, [METRIC_NAME, 'ALERTS_FOR_STATE']]),
        value: Math.floor(alert.activeAtMs / 1000),
      },
    ]);
  }
}

function vectorOf(result: InstantResult): readonly RecordedValue[] {
  if (result.type === 'scalar') return [{ labels: NO_LABELS, value: result.value }];
  if (result.type !== 'vector') throw new PromqlError('execution', 'a rule needs a number or an instant vector');
  return result.series.map(({ labels, values }) => ({ labels, value: values[0] as number }));
}

function* recorded(
  { name, labels: added }: RecordingRule,
  found: readonly RecordedValue[],
  { budget, limit }: EvaluationContext & { readonly limit: number },
): Steps<readonly RecordedValue[]> {
  const values = found.map(({ labels, value }) => ({
    labels: labelsOf([...drop(labels, new Set([METRIC_NAME, ...added.keys()])), [METRIC_NAME, name], ...added]),
    value,
  }));
  if (budget.spend(values.length)) yield;
  if (limit > 0 && values.length > limit) {
    throw new PromqlError('execution', `the rule has ${values.length} series, and its limit is ${limit}`);
  }
  checkDistinct(
    values.map(({ labels }) => keyOf(labels)),
    'series',
  );
  return values;
}

/** Labels and annotations of one alert cost about as much as this many small steps. */
const ALERT_STEPS = 1024;

function* raised(
  rule: AlertingRule,
  found: readonly RecordedValue[],
  { budget }: EvaluationContext,
): Steps<ReadonlyMap<string, RaisedAlert>> {
  const alerts: [string, RaisedAlert][] = [];
  for (const { labels, value } of found) {
    if (budget.spend(ALERT_STEPS)) yield;
    const render = ([name, template]: readonly [string, Template]): [string, string] => [
      name,
      bounded(template.render({ labels, value })),
    ];
    const own = [...rule.labels].map(render);
    const kept = drop(withoutName(labels), new Set(own.map(([name]) => name)));
    const all = withLabel(labelsOf([...kept, ...own]), 'alertname', rule.name);
    alerts.push([
      alertKey({ labels: all }),
      { labels: all, annotations: new Map([...rule.annotations].map(render)), value },
    ]);
  }
  checkDistinct(
    alerts.map(([key]) => key),
    'alerts',
  );
  return new Map(alerts);
}

function checkDistinct(keys: readonly string[], what: string): void {
  if (new Set(keys).size < keys.length) {
    throw new PromqlError('execution', `several ${what} of the rule have the same labels`);
  }
}

const MAX_TEXT_LENGTH = 16_384;

function bounded(text: string): string {
  if (text.length <= MAX_TEXT_LENGTH) return text;
  throw new PromqlError('execution', `a label or annotation has more than ${MAX_TEXT_LENGTH} characters`);
}
