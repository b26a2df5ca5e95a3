import type { ExtensionFactory } from '../../../engine/component.ts';
import { fileStorageConfig, type FileStorageConfig } from './config.ts';
import { FileStorageExtension } from './extension.ts';

export const fileStorageExtension: ExtensionFactory<FileStorageConfig> = {
  kind: 'extension',
  type: 'file_storage',
  signals: [],
  stability: 'alpha',
  role: 'storage',
  config: fileStorageConfig,
  async *diagnose(_settings, config) {
    const { directoryFindings } = await import('./directory.ts');
    yield* directoryFindings(config);
  },
  create: (settings, config) => new FileStorageExtension(settings, config),
};
