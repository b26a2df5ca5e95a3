import type { ExtensionFactory } from '../../../engine/component.ts';
import { serverFilesOnceRead } from '../../../engine/schema/tls.ts';
import { zpagesConfig, type ZpagesConfig } from './config.ts';
import { ZpagesExtension } from './extension.ts';

export const zpagesExtension: ExtensionFactory<ZpagesConfig> = {
  kind: 'extension',
  type: 'zpages',
  signals: [],
  stability: 'beta',
  role: undefined,
  config: zpagesConfig,
  files: ({ tls }) => serverFilesOnceRead(tls),
  async *diagnose(_settings, config) {
    const { listeningFindings } = await import('../../../engine/net/endpoint-findings.ts');
    yield* listeningFindings(config);
  },
  create: (settings, config) => new ZpagesExtension(settings, config),
};
