import type { ExtensionFactory } from '../../../engine/component.ts';
import { bearerTokenAuthConfig, type BearerTokenAuthConfig } from './config.ts';
import { BearerTokenAuthExtension } from './extension.ts';

export const bearerTokenAuthExtension: ExtensionFactory<BearerTokenAuthConfig> = {
  kind: 'extension',
  type: 'bearer_token_auth',
  aliases: ['bearertokenauth'],
  signals: [],
  stability: 'beta',
  role: 'authenticator',
  config: bearerTokenAuthConfig,
  create: (settings, config) => new BearerTokenAuthExtension(settings, config),
};
