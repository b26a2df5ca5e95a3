import type { ExtensionFactory } from '../../collector/component.ts';
import { healthCheckConfig, type HealthCheckConfig } from './config.ts';
import { HealthCheckExtension } from './extension.ts';

export const healthCheckExtension: ExtensionFactory<HealthCheckConfig> = {
  kind: 'extension',
  type: 'health_check',
  signals: [],
  stability: 'beta',
  config: healthCheckConfig,
  create: (settings, config) => new HealthCheckExtension(settings, config),
};
