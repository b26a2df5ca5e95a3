import type { ComponentKind, ComponentSettings, Signal } from '../../../src/engine/component.ts';
import { MetricsPage } from '../../../src/engine/telemetry/metrics-page.ts';
import { logLines } from './log-lines.ts';

interface ObservedSettings {
  readonly settings: ComponentSettings;
  readonly lines: Record<string, unknown>[];
  /** The page of self-metrics, with everything that is recorded through `settings.metrics`. */
  readonly page: () => Promise<string>;
}

/** What the engine gives a component, with its log and its metrics open to a test. */
export function componentSettings(kind: ComponentKind, id: string, signal: Signal = 'traces'): ObservedSettings {
  const { logger, lines } = logLines();
  const page = new MetricsPage('0.0.0');
  const settings = { id, signals: new Set([signal]), logger, metrics: page.metricsOf(kind, id), version: '0.0.0' };
  return { settings, lines, page: () => page.render() };
}
