import type { ComponentKind, ComponentSettings, Signal } from '../../../src/engine/component.ts';
import { Account, ComponentLedger, type Balance } from '../../../src/engine/account.ts';
import { MetricsPage } from '../../../src/engine/telemetry/metrics-page.ts';
import { logLines } from './log-lines.ts';

interface ObservedSettings {
  readonly settings: ComponentSettings;
  readonly lines: Record<string, unknown>[];
  /** The fate of all items of a signal that the component has accepted; by default, of its first signal. */
  readonly balance: (of?: Signal) => Balance;
  /** The page of self-metrics, with everything that is recorded through `settings.metrics`. */
  readonly page: () => Promise<string>;
}

/** The settings that the engine passes to a component, with access to its log lines and metrics. */
export function componentSettings(
  kind: ComponentKind,
  id: string,
  signal: Signal = 'traces',
  ...others: readonly Signal[]
): ObservedSettings {
  const { logger, lines } = logLines();
  const page = new MetricsPage({});
  const accounts = { traces: new Account(), metrics: new Account(), logs: new Account() };
  const settings = {
    id,
    signals: new Set([signal, ...others]),
    logger,
    metrics: page.metricsOf(kind, id),
    ledger: new ComponentLedger((of) => accounts[of]),
    version: '0.0.0',
  };
  return { settings, lines, balance: (of = signal) => accounts[of].balance, page: () => page.render() };
}
