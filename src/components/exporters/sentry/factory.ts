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
  async *diagnose({ emptyValues }, { dsn, routing, timeout, tls: files, proxy_url }) {
    const routes = routing?.projects ?? [];
    const targets = [dsn, ...routes.map((route) => route.dsn)].map((secret) => parseDsn(secret.reveal()));
    for (const [index, target] of targets.entries()) {
      // Without `dsn`, only services that match no route have no project.
      if (target !== undefined || (index === 0 && routes.length > 0)) continue;
      const key = index === 0 ? 'dsn' : `routing::projects::${index - 1}::dsn`;
      const cause = emptyValues?.get(key)?.cause ?? `${key} is empty`;
      yield {
        severity: 'warning',
        what: `is off${index === 0 ? '' : ' for some services'}: ${cause}, so telemetry is dropped`,
        repair: `Set ${key}`,
      };
    }
    const origins = new Set(targets.flatMap((target) => target?.envelopeUrl.origin ?? []));
    if (origins.size === 0) return;
    const { reachingFinding } = await import('../../../engine/net/endpoint-findings.ts');
    const { readClientTls } = await import('../../../engine/net/client-tls.ts');
    try {
      const tls = await readClientTls(files);
      const proxy = proxy_url && new URL(proxy_url.reveal());
      for (const origin of origins) yield await reachingFinding(new URL(origin), { timeoutMs: timeout, tls, proxy });
    } catch (error) {
      yield { severity: 'error', what: describeError(error), repair: 'Correct tls' };
    }
  },
  create: (settings, config) => new SentryExporter(settings, config),
};
