import type { ExporterFactory } from '../../../engine/component.ts';
import { serverFilesOnceRead } from '../../../engine/schema/tls.ts';
import { prometheusExporterConfig, type PrometheusExporterConfig } from './config.ts';
import { PrometheusExporter } from './exporter.ts';

export const prometheusExporter: ExporterFactory<PrometheusExporterConfig> = {
  kind: 'exporter',
  type: 'prometheus',
  signals: ['metrics'],
  stability: 'alpha',
  config: prometheusExporterConfig,
  files: ({ tls }) => serverFilesOnceRead(tls),
  delivery: () => ({}),
  isExclusive: () => true,
  async *diagnose(_settings, config) {
    const { listeningFindings } = await import('../../../engine/net/endpoint-findings.ts');
    yield* listeningFindings(config);
  },
  create: (settings, config) => new PrometheusExporter(settings, config),
};
