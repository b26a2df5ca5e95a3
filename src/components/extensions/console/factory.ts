import type { ExtensionFactory } from '../../../engine/component.ts';
import { serverFilesOnceRead } from '../../../engine/schema/tls.ts';
import { consoleConfig, type ConsoleConfig } from './config.ts';
import { ConsoleExtension, type ConsoleContent } from './extension.ts';

export const consoleExtension = (content: ConsoleContent): ExtensionFactory<ConsoleConfig> => ({
  kind: 'extension',
  type: 'console',
  signals: [],
  stability: 'development',
  role: undefined,
  config: consoleConfig,
  files: ({ tls }) => serverFilesOnceRead(tls),
  async *diagnose(_settings, config) {
    const { listeningFindings } = await import('../../../engine/net/endpoint-findings.ts');
    yield* listeningFindings(config);
  },
  create: (settings, config) => new ConsoleExtension(settings, config, content),
});
