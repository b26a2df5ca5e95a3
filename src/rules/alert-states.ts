import { keyOf, type Labels } from '../promql/labels.ts';
import type { AlertingRule } from './rule.ts';

/** An alert as the latest evaluation left it. Times are Unix milliseconds. */
export interface Alert {
  readonly labels: Labels;
  annotations: ReadonlyMap<string, string>;
  /** `resolved`: it fired, and is over since a short time. */
  state: 'pending' | 'firing' | 'resolved';
  value: number;
  readonly activeAtMs: number;
  /** Undefined while it is pending. */
  firedAtMs: number | undefined;
  /** Since when the expression has no value for a firing alert. */
  keepFiringSinceMs: number | undefined;
  resolvedAtMs: number | undefined;
}

/** An alert that the expression has now. */
export interface RaisedAlert {
  readonly labels: Labels;
  readonly annotations: ReadonlyMap<string, string>;
  readonly value: number;
}

/** The time between two processes that evaluate the same rules. */
export interface Outage {
  readonly fromMs: number;
  readonly toMs: number;
  /** How long series may be missing afterwards, because their senders have not sent them again. */
  readonly graceMs: number;
}

/** Alerts with a shorter `for` are raised again, and no restored one fires earlier after an outage, as in Prometheus. */
const LEAST_HOLD_MS = 10 * 60_000;

/** How long an alert that is over is kept, so that who missed its end hears of it later. */
const RESOLVED_KEPT_MS = 15 * 60_000;

/** The alerts of one rule. The states change as in Prometheus. */
export class AlertStates {
  readonly #rule: Pick<AlertingRule, 'holdMs' | 'keepFiringMs'>;
  readonly #alerts = new Map<string, Alert>();
  /** Alerts from before an outage that have had no value since. */
  readonly #awaited = new Set<string>();
  #awaitedUntilMs = -Infinity;

  constructor(rule: Pick<AlertingRule, 'holdMs' | 'keepFiringMs'>) {
    this.#rule = rule;
  }

  /** Pending and firing ones. */
  get active(): readonly Alert[] {
    return this.all.filter(({ state }) => state !== 'resolved');
  }

  get all(): readonly Alert[] {
    return [...this.#alerts.values()];
  }

  /** Continues the alerts of an earlier process. The time of the outage does not count for `for`. */
  restore(alerts: readonly Alert[], outage: Outage): void {
    this.#awaitedUntilMs = outage.toMs + outage.graceMs;
    for (const alert of alerts) {
      const activeAtMs = alert.state === 'pending' ? this.#pendingSinceMs(alert, outage) : alert.activeAtMs;
      if (activeAtMs === undefined) continue;
      const key = alertKey(alert);
      this.#alerts.set(key, { ...alert, activeAtMs });
      if (alert.state !== 'resolved') this.#awaited.add(key);
    }
  }

  #pendingSinceMs({ activeAtMs }: Alert, { fromMs, toMs }: Outage): number | undefined {
    const { holdMs } = this.#rule;
    if (holdMs < LEAST_HOLD_MS) return undefined;
    const leftMs = Math.max(holdMs - (fromMs - activeAtMs), LEAST_HOLD_MS);
    return toMs + leftMs - holdMs;
  }

  /** Forgets everything, if there are more alerts than a rule may have. */
  clear(): void {
    this.#alerts.clear();
    this.#awaited.clear();
  }

  /** @param raised the alerts that the expression has at this moment, by the key of their labels. */
  update(raised: ReadonlyMap<string, RaisedAlert>, atMs: number): void {
    for (const [key, one] of raised) this.#raise(key, one, atMs);
    for (const [key, alert] of this.#alerts) {
      if (!raised.has(key)) {
        this.#miss(key, alert, atMs);
        continue;
      }
      this.#awaited.delete(key);
      alert.keepFiringSinceMs = undefined;
      if (alert.state === 'pending' && atMs - alert.activeAtMs >= this.#rule.holdMs) {
        alert.state = 'firing';
        alert.firedAtMs = atMs;
      }
    }
  }

  #raise(key: string, { labels, annotations, value }: RaisedAlert, atMs: number): void {
    const known = this.#alerts.get(key);
    if (known !== undefined && known.state !== 'resolved') {
      known.value = value;
      known.annotations = annotations;
      return;
    }
    this.#alerts.set(key, {
      labels,
      annotations,
      value,
      state: 'pending',
      activeAtMs: atMs,
      firedAtMs: undefined,
      keepFiringSinceMs: undefined,
      resolvedAtMs: undefined,
    });
  }

  /** The expression has no value for the alert. */
  #miss(key: string, alert: Alert, atMs: number): void {
    if (this.#awaited.has(key) && atMs < this.#awaitedUntilMs) return;
    const { keepFiringMs } = this.#rule;
    if (alert.state === 'firing' && keepFiringMs > 0) {
      alert.keepFiringSinceMs ??= atMs;
      if (atMs - alert.keepFiringSinceMs < keepFiringMs) return;
    }
    this.#awaited.delete(key);
    const isForgotten = alert.resolvedAtMs !== undefined && atMs - alert.resolvedAtMs > RESOLVED_KEPT_MS;
    if (alert.state === 'pending' || isForgotten) this.#alerts.delete(key);
    else if (alert.state === 'firing') {
      alert.state = 'resolved';
      alert.resolvedAtMs = atMs;
    }
  }
}

/** The labels distinguish an alert from all others. */
export function alertKey({ labels }: Pick<Alert, 'labels'>): string {
  return keyOf(labels);
}
