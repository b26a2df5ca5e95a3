import type { Instruments } from '../../metrics/instruments.ts';
import type { LedgerReason } from '../../metrics/reasons.ts';
import { sidecarMetrics } from '../../metrics/self.ts';
import { Account, type Balance } from '../account.ts';
import type { Signal } from '../component.ts';

export interface NamedBalance extends Balance {
  /** The pipeline or exporter, for example `pipelines::traces`. */
  readonly account: string;
  readonly signal: Signal;
}

/** The accounts of all pipelines and exporters. They outlive components, as counters do. */
export class Ledger {
  readonly #accounts = new Map<string, { readonly name: string; readonly signal: Signal; readonly account: Account }>();

  constructor(metrics: Instruments) {
    for (const part of ['accepted', 'delivered', 'waiting', 'difference'] as const) {
      metrics.observe(sidecarMetrics[`siphon_ledger_${part}_items`], (observe) => {
        for (const { account, signal, ...balance } of this.balances()) {
          observe(balance[part], { account, otel_signal: signal });
        }
      });
    }
    metrics.observe(sidecarMetrics.siphon_ledger_dropped_items, (observe) => {
      for (const { account, signal, dropped } of this.balances()) {
        for (const [reason, itemCount] of Object.entries(dropped)) {
          observe(itemCount, { account, otel_signal: signal, reason: reason as LedgerReason });
        }
      }
    });
  }

  account(name: string, signal: Signal): Account {
    const key = `${name} ${signal}`;
    const found = this.#accounts.get(key) ?? { name, signal, account: new Account() };
    this.#accounts.set(key, found);
    return found.account;
  }

  balances(): NamedBalance[] {
    return [...this.#accounts.values()].map(({ name, signal, account }) => ({
      account: name,
      signal,
      ...account.balance,
    }));
  }
}

/** The items that were lost meanwhile, by account, signal and reason. Empty if none was. */
export function lossesBetween(before: readonly NamedBalance[], after: readonly NamedBalance[]): readonly Loss[] {
  return after.flatMap(({ account, signal, dropped }) => {
    const earlier = before.find((balance) => balance.account === account && balance.signal === signal)?.dropped ?? {};
    return Object.entries(dropped)
      .map(([reason, items]) => ({ account, signal, reason, items: items - (earlier[reason as LedgerReason] ?? 0) }))
      .filter(({ items }) => items > 0);
  });
}

export interface Loss extends Pick<NamedBalance, 'account' | 'signal'> {
  readonly reason: string;
  readonly items: number;
}
