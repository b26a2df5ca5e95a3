import type { EmptyValues, ExporterFactory, Finding } from '../../../engine/component.ts';
import { describeError } from '../../../engine/describe-error.ts';
import { clientFilesOnceRead } from '../../../engine/schema/tls.ts';
import type { Secret } from '../../../engine/schema/secret.ts';
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
  subjects: (config) => (dsnsOf(config).every((dsn) => dsn.isEmpty) ? [] : ['sentry']),
  // The exporter delivers envelopes, not batches: the spans of one transaction arrive in several batches.
  delivery: () => undefined,
  isExclusive: (config) => config.sending_queue?.storage !== undefined,
  async *diagnose({ emptyValues }, config) {
    yield* emptyDsnFindings(emptyValues, config);
    const origins = new Set(dsnsOf(config).flatMap((dsn) => parseDsn(dsn.reveal())?.envelopeUrl.origin ?? []));
    if (origins.size === 0) return;
    const { timeout: timeoutMs, tls: files, proxy_url } = config;
    const { reachingFinding } = await import('../../../engine/net/endpoint-findings.ts');
    const { readClientTls } = await import('../../../engine/net/client-tls.ts');
    try {
      const tls = await readClientTls(files);
      const proxy = proxy_url && new URL(proxy_url.reveal());
      for (const origin of origins) yield await reachingFinding(new URL(origin), { timeoutMs, tls, proxy });
    } catch (error) {
      yield { severity: 'error', what: describeError(error), repair: 'Correct tls' };
    }
  },
  create: (settings, config) => new SentryExporter(settings, config),
};

/** `dsn`, then those of the projects. */
function dsnsOf({ dsn, routing }: SentryExporterConfig): readonly Secret[] {
  return [dsn, ...(routing?.projects ?? []).map((project) => project.dsn)];
}

function* emptyDsnFindings(emptyValues: EmptyValues | undefined, config: SentryExporterConfig): Generator<Finding> {
  for (const [index, dsn] of dsnsOf(config).entries()) {
    const isRoute = index > 0;
    // With projects, `dsn` is for the other services only.
    if (!dsn.isEmpty || (!isRoute && config.routing !== undefined)) continue;
    const key = isRoute ? `routing::projects::${index - 1}::dsn` : 'dsn';
    const cause = emptyValues?.get(key)?.cause ?? `${key} is empty`;
    const where = isRoute ? ' for some services' : '';
    yield { severity: 'warning', what: `is off${where}: ${cause}, so telemetry is dropped`, repair: `Set ${key}` };
  }
}
