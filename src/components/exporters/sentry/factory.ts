import type { ExporterFactory } from '../../../engine/component.ts';
import { describeError } from '../../../engine/describe-error.ts';
import { clientFilesOnceRead } from '../../../engine/schema/tls.ts';
import { sentryExporterConfig, type SentryExporterConfig } from './config.ts';
import { parseDsn } from './dsn.ts';
import { SentryExporter } from './exporter.ts';

export const sentryExporter: ExporterFactory<SentryExporterConfig> = {
  kind: 'exporter',
  type: 'sentry',
  signals: ['traces', 'logs'],
  stability: 'alpha',
  config: sentryExporterConfig,
  files: ({ tls }) => clientFilesOnceRead(tls),
  // The exporter delivers envelopes, not batches: the spans of one transaction arrive in several batches.
  delivery: () => undefined,
  isExclusive: (config) => config.sending_queue?.storage !== undefined,
  async *diagnose({ emptyValues }, { dsn, timeout, tls: files, proxy_url }) {
    const to = parseDsn(dsn.reveal());
    if (to === undefined) {
      const cause = emptyValues?.get('dsn')?.cause ?? 'dsn is empty';
      yield { severity: 'warning', what: `is off: ${cause}, so telemetry is dropped`, repair: 'Set dsn' };
      return;
    }
    const { reachingFinding } = await import('../../../engine/net/endpoint-findings.ts');
    const { readClientTls } = await import('../../../engine/net/client-tls.ts');
    try {
      const tls = await readClientTls(files);
      const proxy = proxy_url && new URL(proxy_url.reveal());
      yield await reachingFinding(to.envelopeUrl, { timeoutMs: timeout, tls, proxy });
    } catch (error) {
      yield { severity: 'error', what: describeError(error), repair: 'Correct tls' };
    }
  },
  create: (settings, config) => new SentryExporter(settings, config),
};
