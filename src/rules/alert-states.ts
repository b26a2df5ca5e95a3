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

/** How long an alert that is over is kept, so that who missed its end hears of it later. */
const RESOLVED_KEPT_MS = 15 * 60_000;

/** The alerts of one rule. The states change as in Prometheus. */
export class AlertStates {
  readonly #rule: Pick<AlertingRule, 'holdMs' | 'keepFiringMs'>;
  readonly #alerts = new Map<string, Alert>();

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

  /** Forgets everything, if there are more alerts than a rule may have. */
  clear(): void {
    this.#alerts.clear();
  }

  /** @param raised the alerts that the expression has at this moment, by the key of their labels. */
  update(raised: ReadonlyMap<string, RaisedAlert>, atMs: number): void {
    for (const [key, one] of raised) this.#raise(key, one, atMs);
    for (const [key, alert] of this.#alerts) {
      if (raised.has(key)) alert.keepFiringSinceMs = undefined;
      else if (!this.#outlasts(key, alert, atMs)) continue;
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

  /** True if an alert without a value fires on. */
  #outlasts(key: string, alert: Alert, atMs: number): boolean {
    const { keepFiringMs } = this.#rule;
    if (alert.state === 'firing' && keepFiringMs > 0) {
      alert.keepFiringSinceMs ??= atMs;
      if (atMs - alert.keepFiringSinceMs < keepFiringMs) return true;
    }
    const isForgotten = alert.resolvedAtMs !== undefined && atMs - alert.resolvedAtMs > RESOLVED_KEPT_MS;
    if (alert.state === 'pending' || isForgotten) this.#alerts.delete(key);
    else if (alert.state === 'firing') {
      alert.state = 'resolved';
      alert.resolvedAtMs = atMs;
    }
    return false;
  }
}

/** The labels distinguish an alert from all others. */
export function alertKey({ labels }: Pick<Alert, 'labels'>): string {
  return keyOf(labels);
}
