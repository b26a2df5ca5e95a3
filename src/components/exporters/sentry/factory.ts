import type { ExporterFactory } from '../../../engine/component.ts';
import { configSchema, type SentryExporterConfig } from './config.ts';
import { parseDsn } from './dsn.ts';
import { SentryExporter } from './exporter.ts';

/**
 * No queue and no retry of the engine's: what is queued and tried again here are envelopes, not batches, because the spans of one
 * transaction come in several batches. The exporter uses the engine's queue and retry itself.
 */
export const sentryExporter: ExporterFactory<SentryExporterConfig> = {
  kind: 'exporter',
  type: 'sentry',
  signals: ['traces'],
  stability: 'alpha',
  config: configSchema,
  delivery: () => ({ countsItself: true }),
  async *diagnose(_settings, { dsn, timeout }) {
    const to = parseDsn(dsn.reveal());
    if (to === undefined) {
      yield { severity: 'warning', what: 'is off: its dsn is empty, and spans are dropped', repair: 'Set dsn' };
      return;
    }
    const { reachingFinding } = await import('../../../engine/net/endpoint-findings.ts');
    yield await reachingFinding(to.envelopeUrl, { timeoutMs: timeout });
  },
  create: (settings, config) => new SentryExporter(settings, config),
};
