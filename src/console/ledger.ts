import type { DataSource, Labels, Sample } from './data-source.ts';
import type { AccountState } from './pipelines-state.ts';

const PARTS = ['accepted', 'delivered', 'waiting', 'difference'] as const;

/** The fate of all items since the start. */
export async function ledgerAt(source: DataSource, atS: number): Promise<readonly AccountState[]> {
  const accounts = new Map<string, AccountState & { dropped: Record<string, number> }>();
  const accountOf = ({ account = '', otel_signal: signal = '' }: Labels) => {
    const key = JSON.stringify([account, signal]);
    const found = accounts.get(key) ?? { account, signal, ...NOTHING, dropped: {} };
    accounts.set(key, found);
    return found;
  };
  for (const part of PARTS) {
    for (const { labels, value } of await samplesOf(source, part, atS))
      Object.assign(accountOf(labels), { [part]: value });
  }
  for (const { labels, value } of await samplesOf(source, 'dropped', atS)) {
    if (value > 0) accountOf(labels).dropped[labels['reason'] ?? ''] = value;
  }
  return [...accounts.values()].toSorted((a, b) => (a.account < b.account ? -1 : 1));
}

const NOTHING = { accepted: 0, delivered: 0, waiting: 0, difference: 0 };

async function samplesOf(source: DataSource, part: string, atS: number): Promise<readonly Sample[]> {
  return await source.at(`sum by (account, otel_signal, reason) (siphon_ledger_${part}_items)`, atS);
}
