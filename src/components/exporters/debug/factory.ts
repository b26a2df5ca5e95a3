import type { ExporterFactory } from '../../../engine/component.ts';
import { debugConfig, type DebugConfig } from './config.ts';
import { DebugExporter } from './exporter.ts';

export const debugExporter: ExporterFactory<DebugConfig> = {
  kind: 'exporter',
  type: 'debug',
  signals: ['traces', 'metrics', 'logs'],
  stability: 'beta',
  config: debugConfig,
  delivery: () => ({}),
  create: (settings, config) => new DebugExporter(settings, config),
};
