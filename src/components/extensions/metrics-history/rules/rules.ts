import { Incident } from '../../../../engine/incident.ts';
import type { ComponentSettings } from '../../../../engine/component.ts';
import { sidecarMetrics } from '../../../../metrics/self.ts';
import type { Alert, Outage } from '../../../../rules/alert-states.ts';
import type { EvaluatedRule } from '../../../../rules/evaluated-rule.ts';
import type { RuleGroup } from '../../../../rules/rule.ts';
import type { NotifiedAlert } from '../notify/notified-alert.ts';
import { shownText } from '../shown-alert.ts';
import type { History } from '../store/history.ts';
import { JoinedSource, type TimedSource } from './joined-source.ts';
import { Timetable, type EvaluatedGroup, type TimetableSettings } from './timetable.ts';

export interface RulesContext extends Pick<ComponentSettings, 'logger' | 'metrics'> {
  /** Called after each evaluation with all alerts. */
  readonly evaluated: (alerts: readonly NotifiedAlert[]) => void;
}

/** Evaluates all rules about a history, and keeps what they write. */
export class Rules {
  /** Everything that can be queried: the history and what the rules have written. */
  readonly source: TimedSource;
  readonly #history: TimedSource;
  readonly #timetables: readonly Timetable[];
  readonly #evaluated: (alerts: readonly NotifiedAlert[]) => void;
  readonly #failures: Incident;
  #evaluating: Promise<void> | undefined;
  #missed = 0;

  constructor(
    groups: readonly RuleGroup[],
    history: TimedSource,
    settings: TimetableSettings,
    { logger, metrics, evaluated }: RulesContext,
  ) {
    const byInterval = Map.groupBy(
      groups.filter(({ rules }) => rules.length > 0),
      ({ intervalMs }) => intervalMs,
    );
    const maxBytes = settings.maxBytes / Math.max(1, byInterval.size);
    this.#timetables = [...byInterval.values()].map((some) => new Timetable(some, { ...settings, maxBytes }));
    this.#history = history;
    this.#evaluated = evaluated;
    this.source = new JoinedSource(
      history,
      this.#timetables.map(({ store }) => store),
    );
    this.#failures = new Incident(logger, {
      failing: 'Rules cannot be evaluated',
      recovered: 'Rules are evaluated again',
    });
    this.#observe(metrics);
  }

  /** The results of rules, by a name that they have in another process, too. */
  get histories(): ReadonlyMap<string, History> {
    return new Map(this.#timetables.map(({ intervalMs, store }) => [`rules ${intervalMs}`, store.history]));
  }

  get groups(): readonly EvaluatedGroup[] {
    return this.#timetables.flatMap(({ groups }) => groups);
  }

  /**
   * How far back a rule can see, in milliseconds; undefined before the first evaluation. A rule with a longer reach has the
   * answer of a Prometheus that is as young.
   */
  seenMs(intervalMs: number, nowMs: number): number | undefined {
    const store = this.#timetables.find((one) => one.intervalMs === intervalMs)?.store;
    const since = [this.#history.time, store?.time].flatMap((time) => (time === undefined ? [] : [time.fromMs]));
    return since.length === 0 ? undefined : nowMs - Math.min(...since);
  }

  /** Evaluates what is due at the moment that was just recorded. Does not wait for it. */
  tick(atMs: number): void {
    const due = this.#timetables.filter((timetable) => timetable.isDue(atMs));
    if (due.length === 0) return;
    if (this.#evaluating !== undefined) {
      this.#missed++;
      return;
    }
    this.#evaluating = this.#evaluate(due, atMs).finally(() => (this.#evaluating = undefined));
  }

  /** The alerts of each rule, by a key that the rule has in another process, too. */
  get states(): ReadonlyMap<string, readonly Alert[]> {
    return new Map([...this.#keyed()].map(([key, { alerts }]) => [key, alerts.all]));
  }

  /** Before the first evaluation. */
  restore(states: ReadonlyMap<string, readonly Alert[]>, outage: Outage): void {
    for (const [key, { alerts }] of this.#keyed()) alerts.restore(states.get(key) ?? [], outage);
  }

  /** Without the file: it may be moved. Several rules may have the same name, also in groups of the same name. */
  #keyed(): ReadonlyMap<string, EvaluatedRule> {
    const keyed = new Map<string, EvaluatedRule>();
    for (const { group, rules } of this.groups) {
      for (const rule of rules.filter((one) => one.rule.kind === 'alerting')) {
        const path = [group.name, rule.rule.name];
        let number = 0;
        while (keyed.has(JSON.stringify([...path, number]))) number++;
        keyed.set(JSON.stringify([...path, number]), rule);
      }
    }
    return keyed;
  }

  /** Waits for the evaluation that runs. */
  async settled(): Promise<void> {
    await this.#evaluating;
  }

  async #evaluate(due: readonly Timetable[], atMs: number): Promise<void> {
    try {
      for (const timetable of due) await timetable.evaluate(atMs, this.#history, this.source);
      this.#evaluated(this.#alerts());
      const problem = this.groups.flatMap(({ rules }) => rules).find(({ health }) => health === 'err');
      if (problem === undefined) this.#failures.succeeded();
      else this.#failures.failed(new Error(`${problem.rule.name}: ${shownText(problem.problem ?? '')}`));
    } catch (error) {
      this.#failures.failed(error);
    }
  }

  #alerts(): readonly NotifiedAlert[] {
    return this.groups.flatMap(({ group: { intervalMs }, rules }) =>
      rules.flatMap(({ alerts }) => alerts.all.map((alert) => ({ alert, intervalMs }))),
    );
  }

  #observe(metrics: ComponentSettings['metrics']): void {
    const sum = (of: (timetable: Timetable) => number): number =>
      this.#timetables.reduce((total, timetable) => total + of(timetable), 0);
    const rules = (): number => this.groups.reduce((total, group) => total + group.rules.length, 0);
    const failing = (): number =>
      this.groups.flatMap((group) => group.rules.filter(({ health }) => health === 'err')).length;
    metrics.observe(sidecarMetrics.siphon_rules, (observe) => observe(rules(), {}));
    metrics.observe(sidecarMetrics.siphon_rules_failing, (observe) => observe(failing(), {}));
    metrics.observe(sidecarMetrics.siphon_rules_missed_evaluations, (observe) => observe(this.#missed, {}));
    metrics.observe(sidecarMetrics.siphon_rules_duration_seconds, (observe) =>
      observe(this.groups.reduce((total, { durationMs }) => total + durationMs, 0) / 1000, {}),
    );
    metrics.observe(sidecarMetrics.siphon_rules_bytes, (observe) =>
      observe(
        sum(({ store }) => store.sizeBytes),
        {},
      ),
    );
    metrics.observe(sidecarMetrics.siphon_rules_left_out_series, (observe) =>
      observe(
        sum(({ store }) => store.leftOut),
        {},
      ),
    );
  }
}
