import { readFile } from 'node:fs/promises';
import type { Authenticator, HeaderReader } from '../../collector/authenticator.ts';
import type { Component } from '../../collector/component.ts';
import { SecretDigest } from '../../collector/secret-digest.ts';
import type { BearerTokenAuthConfig } from './config.ts';

/** Lets in who shows one of the tokens. https://www.rfc-editor.org/rfc/rfc6750#section-2.1 */
export class BearerTokenAuthExtension implements Component, Authenticator {
  readonly challenge: string;
  readonly #config: BearerTokenAuthConfig;
  readonly #header: string;
  /** What stands before the token, in lower case. */
  readonly #prefix: string;
  #tokens: readonly SecretDigest[] = [];

  constructor(config: BearerTokenAuthConfig) {
    this.#config = config;
    this.#header = config.header.toLowerCase();
    this.#prefix = config.scheme === '' ? '' : `${config.scheme.toLowerCase()} `;
    this.challenge = config.scheme === '' ? 'Bearer' : config.scheme;
  }

  async start(): Promise<void> {
    this.#tokens = (await this.#texts()).map((text) => new SecretDigest(text));
  }

  async shutdown(): Promise<void> {
    this.#tokens = [];
  }

  authenticate(header: HeaderReader): boolean {
    const value = header(this.#header);
    if (value === undefined || value.slice(0, this.#prefix.length).toLowerCase() !== this.#prefix) return false;
    const token = value.slice(this.#prefix.length);
    return this.#tokens.some((expected) => expected.matches(token));
  }

  async #texts(): Promise<readonly string[]> {
    const { token, tokens, filename } = this.#config;
    if (filename !== undefined) return await readTokens(filename);
    return (tokens ?? [token]).flatMap((given) => given?.reveal() ?? []);
  }
}

async function readTokens(file: string): Promise<readonly string[]> {
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new Error(`filename: ${file} cannot be read: ${cause.message}`, { cause });
  });
  const tokens = text.split('\n').flatMap((line) => line.trim() || []);
  if (tokens.length === 0) throw new Error(`filename: ${file} holds no token: write one in each line`);
  return tokens;
}
