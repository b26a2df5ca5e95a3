import type { ExtensionFactory } from '../../../engine/component.ts';
import { serverFilesOnceRead } from '../../../engine/schema/tls.ts';
import { healthCheckConfig, type HealthCheckConfig } from './config.ts';
import { HealthCheckExtension } from './extension.ts';

export const healthCheckExtension: ExtensionFactory<HealthCheckConfig> = {
  kind: 'extension',
  type: 'health_check',
  signals: [],
  stability: 'beta',
  role: undefined,
  config: healthCheckConfig,
  files: (config) => serverFilesOnceRead(config?.tls),
  async *diagnose(_settings, config) {
    const { listeningFindings } = await import('../../../engine/net/endpoint-findings.ts');
    yield* listeningFindings(config);
  },
  create: (settings, config) => new HealthCheckExtension(settings, config),
};
