import type { ExtensionFactory } from '../../../engine/component.ts';
import { pprofConfig, type PprofConfig } from './config.ts';
import { PprofExtension } from './extension.ts';

export const pprofExtension: ExtensionFactory<PprofConfig> = {
  kind: 'extension',
  type: 'pprof',
  signals: [],
  stability: 'beta',
  role: undefined,
  config: pprofConfig,
  async *diagnose(_settings, config) {
    const { listeningFindings } = await import('../../../engine/net/endpoint-findings.ts');
    yield* listeningFindings(config);
  },
  create: (settings, config) => new PprofExtension(settings, config),
};
