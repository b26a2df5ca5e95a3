import type { ExtensionFactory } from '../../../engine/component.ts';
import { basicAuthConfig, type BasicAuthConfig } from './config.ts';
import { BasicAuthExtension } from './extension.ts';

export const basicAuthExtension: ExtensionFactory<BasicAuthConfig> = {
  kind: 'extension',
  type: 'basic_auth',
  aliases: ['basicauth'],
  signals: [],
  stability: 'beta',
  role: 'authenticator',
  config: basicAuthConfig,
  files: ({ htpasswd }) => [htpasswd.file],
  create: (settings, config) => new BasicAuthExtension(settings, config),
};
