import type { Logger } from 'pino';
import type { Authenticator, HeaderReader } from '../../../engine/authenticator.ts';
import type { Component, ComponentSettings } from '../../../engine/component.ts';
import { SecretDigest } from '../../../engine/secret-digest.ts';
import { reportIdleKeys } from '../../../engine/net/idle-keys.ts';
import type { BearerTokenAuthConfig } from './config.ts';
import { TokenFile } from './token-file.ts';

/** Accepts requests with one of the tokens. https://www.rfc-editor.org/rfc/rfc6750#section-2.1 */
export class BearerTokenAuthExtension implements Component, Authenticator {
  readonly challenge: string;
  readonly #config: BearerTokenAuthConfig;
  readonly #header: string;
  /** The text before the token, in lower case. */
  readonly #prefix: string;
  readonly #logger: Logger;
  readonly #file: TokenFile | undefined;
  #tokens: readonly SecretDigest[] = [];
  #running = false;

  constructor({ logger }: ComponentSettings, config: BearerTokenAuthConfig) {
    this.#config = config;
    this.#logger = logger;
    this.#file = config.filename === undefined ? undefined : new TokenFile(config.filename, logger);
    this.#header = config.header.toLowerCase();
    this.#prefix = config.scheme === '' ? '' : `${config.scheme.toLowerCase()} `;
    this.challenge = config.scheme === '' ? 'Bearer' : config.scheme;
  }

  async start(): Promise<void> {
    const { token, tokens = token === undefined ? [] : [token] } = this.#config;
    const hasFile = this.#file !== undefined;
    reportIdleKeys(this.#logger, { 'token, next to filename': hasFile && tokens.length > 0 });
    this.#tokens = tokens.map((given) => new SecretDigest(given.reveal()));
    await this.#file?.open();
    this.#running = true;
  }

  async shutdown(): Promise<void> {
    this.#running = false;
  }

  authenticate(header: HeaderReader): boolean | Promise<boolean> {
    const value = header(this.#header);
    if (!this.#running || value?.slice(0, this.#prefix.length).toLowerCase() !== this.#prefix) return false;
    const token = value.slice(this.#prefix.length);
    const tokens = this.#file?.tokens ?? this.#tokens;
    return tokens instanceof Promise ? tokens.then((read) => isAmong(read, token)) : isAmong(tokens, token);
  }
}

function isAmong(tokens: readonly SecretDigest[], token: string): boolean {
  return tokens.some((expected) => expected.matches(token));
}
