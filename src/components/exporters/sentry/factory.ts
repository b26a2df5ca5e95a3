import type { ExporterFactory } from '../../../engine/component.ts';
import { sentryExporterConfig, type SentryExporterConfig } from './config.ts';
import { parseDsn } from './dsn.ts';
import { SentryExporter } from './exporter.ts';

export const sentryExporter: ExporterFactory<SentryExporterConfig> = {
  kind: 'exporter',
  type: 'sentry',
  signals: ['traces'],
  stability: 'alpha',
  config: sentryExporterConfig,
  // The exporter delivers envelopes, not batches: the spans of one transaction arrive in several batches.
  delivery: () => undefined,
  async *diagnose(_settings, { dsn, timeout }) {
    const to = parseDsn(dsn.reveal());
    if (to === undefined) {
      yield { severity: 'warning', what: 'is off: dsn is empty, so spans are dropped', repair: 'Set dsn' };
      return;
    }
    const { reachingFinding } = await import('../../../engine/net/endpoint-findings.ts');
    yield await reachingFinding(to.envelopeUrl, { timeoutMs: timeout });
  },
  create: (settings, config) => new SentryExporter(settings, config),
};
