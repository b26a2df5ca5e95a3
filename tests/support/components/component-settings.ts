import type { ComponentKind, ComponentSettings, Signal } from '../../../src/engine/component.ts';
import { Account, ComponentLedger, type Balance } from '../../../src/engine/account.ts';
import { MetricsPage } from '../../../src/engine/telemetry/metrics-page.ts';
import { logLines } from './log-lines.ts';

interface ObservedSettings {
  readonly settings: ComponentSettings;
  readonly lines: Record<string, unknown>[];
  /** The fate of all items that the component has accepted. */
  readonly balance: () => Balance;
  /** The page of self-metrics, with everything that is recorded through `settings.metrics`. */
  readonly page: () => Promise<string>;
}

/** The settings that the engine passes to a component, with access to its log lines and metrics. */
export function componentSettings(kind: ComponentKind, id: string, signal: Signal = 'traces'): ObservedSettings {
  const { logger, lines } = logLines();
  const page = new MetricsPage({});
  const account = new Account();
  const settings = {
    id,
    signals: new Set([signal]),
    logger,
    metrics: page.metricsOf(kind, id),
    ledger: new ComponentLedger(() => account),
    version: '0.0.0',
  };
  return { settings, lines, balance: () => account.balance, page: () => page.render() };
}
