import { alertKey, type Alert } from '../../../../rules/alert-states.ts';

/** An alert that others hear of, with how often its rule is evaluated. */
export interface NotifiedAlert {
  readonly alert: Alert;
  readonly intervalMs: number;
}

/** Remembers what a receiver knows. */
export class SentAlerts {
  readonly #resendMs: number;
  readonly #sentMs = new Map<string, number>();

  /** @param resendMs how often an alert that fires is repeated. */
  constructor(resendMs: number) {
    this.#resendMs = resendMs;
  }

  /** The firing alerts that are new or to be repeated, and those that ended since they were sent. */
  due(alerts: readonly NotifiedAlert[], nowMs: number): readonly NotifiedAlert[] {
    return alerts.filter(({ alert }) => {
      if (alert.state === 'pending') return false;
      const sentMs = this.#sentMs.get(alertKey(alert));
      if (alert.resolvedAtMs !== undefined) return sentMs === undefined || alert.resolvedAtMs > sentMs;
      return sentMs === undefined || sentMs < alert.activeAtMs || nowMs - sentMs > this.#resendMs;
    });
  }

  mark(sent: readonly NotifiedAlert[], nowMs: number): void {
    for (const { alert } of sent) this.#sentMs.set(alertKey(alert), nowMs);
  }

  /** Forgets alerts that do not exist any more. */
  keepOnly(alerts: readonly NotifiedAlert[]): void {
    const known = new Set(alerts.map(({ alert }) => alertKey(alert)));
    for (const key of this.#sentMs.keys()) if (!known.has(key)) this.#sentMs.delete(key);
  }
}
