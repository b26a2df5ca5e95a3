import type { ExporterFactory } from '../../../engine/component.ts';
import { serverFilesOnceRead } from '../../../engine/schema/tls.ts';
import { telemetryStoreConfig, type TelemetryStoreConfig } from './config.ts';
import { TelemetryStoreExporter } from './exporter.ts';

export const telemetryStoreExporter: ExporterFactory<TelemetryStoreConfig> = {
  kind: 'exporter',
  type: 'telemetry_store',
  signals: ['traces', 'metrics', 'logs'],
  stability: 'development',
  config: telemetryStoreConfig,
  files: ({ tls }) => serverFilesOnceRead(tls),
  delivery: () => ({}),
  isExclusive: () => true,
  async *diagnose(_settings, config) {
    const { listeningFindings } = await import('../../../engine/net/endpoint-findings.ts');
    yield* listeningFindings(config);
  },
  create: (settings, config) => new TelemetryStoreExporter(settings, config),
};
