import type { ExtensionFactory } from '../../../engine/component.ts';
import { serverFilesOnceRead } from '../../../engine/schema/tls.ts';
import { consoleConfig, type ConsoleConfig } from './config.ts';
import { ConsoleExtension } from './extension.ts';
import type { PageFiles } from './page.ts';

/** @param readPage the files of the page, which are read when somebody opens it. */
export const consoleExtension = (readPage: () => Promise<PageFiles>): ExtensionFactory<ConsoleConfig> => ({
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
  create: (settings, config) => new ConsoleExtension(settings, config, readPage),
});
