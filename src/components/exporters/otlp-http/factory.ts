import type { ExporterFactory } from '../../../engine/component.ts';
import { clientFilesOnceRead } from '../../../engine/schema/tls.ts';
import { otlpHttpExporterConfig, type OtlpHttpExporterConfig } from './config.ts';
import { OtlpHttpExporter } from './exporter.ts';

export const otlpHttpExporter: ExporterFactory<OtlpHttpExporterConfig> = {
  kind: 'exporter',
  type: 'otlp_http',
  aliases: ['otlphttp'],
  signals: ['traces', 'metrics', 'logs'],
  stability: 'beta',
  config: otlpHttpExporterConfig,
  files: ({ tls }) => clientFilesOnceRead(tls),
  delivery: (config) => ({ queue: config.sending_queue, retry: config.retry_on_failure }),
  isExclusive: (config) => config.sending_queue?.storage !== undefined,
  async *diagnose(settings, config) {
    const { diagnose } = await import('./diagnose.ts');
    yield* diagnose(settings, config);
  },
  create: (settings, config) => new OtlpHttpExporter(settings, config),
};
