import type { ExtensionFactory } from '../../../engine/component.ts';
import { serverFilesOnceRead } from '../../../engine/schema/tls.ts';
import { metricsHistoryConfig, type MetricsHistoryConfig } from './config.ts';
import { MetricsHistoryExtension } from './extension.ts';

export const metricsHistoryExtension: ExtensionFactory<MetricsHistoryConfig> = {
  kind: 'extension',
  type: 'metrics_history',
  signals: [],
  stability: 'development',
  role: 'history',
  config: metricsHistoryConfig,
  files: ({ tls }) => serverFilesOnceRead(tls),
  async *diagnose(_settings, config) {
    const { listeningFindings } = await import('../../../engine/net/endpoint-findings.ts');
    yield* listeningFindings(config);
  },
  create: (settings, config) => new MetricsHistoryExtension(settings, config),
};
