import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { Authenticator, HeaderReader } from '../../../engine/authenticator.ts';
import type { Component, ComponentSettings } from '../../../engine/component.ts';
import type { BasicAuthConfig } from './config.ts';
import { Htpasswd } from './htpasswd.ts';
import type { SlowHashes } from './slow-hashes.ts';

/** Accepts requests with the name and password of a user. https://www.rfc-editor.org/rfc/rfc7617 */
export class BasicAuthExtension implements Component, Authenticator {
  readonly challenge = 'Basic realm="siphon", charset="UTF-8"';
  readonly #config: BasicAuthConfig;
  readonly #logger: Logger;
  #users: Htpasswd | undefined;
  #slowHashes: SlowHashes | undefined;

  constructor({ logger }: ComponentSettings, config: BasicAuthConfig) {
    this.#logger = logger;
    this.#config = config;
  }

  async start(): Promise<void> {
    const { inline, file } = this.#config.htpasswd;
    const texts = [inline?.reveal() ?? '', file === undefined ? '' : await readUsers(file)];
    this.#users = new Htpasswd(texts.join('\n'), {
      matches: async (password, hash) => (await this.#hashes())?.matches(password, hash) ?? false,
      matchesNone: async (password, hash) => (await this.#hashes())?.matchesNone(password, hash) ?? false,
    });
  }

  async shutdown(): Promise<void> {
    this.#users = undefined;
    await this.#slowHashes?.stop();
  }

  authenticate(header: HeaderReader): boolean | Promise<boolean> {
    const encoded = /^basic +(\S+)$/i.exec(header('authorization') ?? '')?.[1];
    if (encoded === undefined) return false;
    const credentials = Buffer.from(encoded, 'base64').toString();
    const colon = credentials.indexOf(':');
    if (colon === -1) return false;
    return this.#users?.verify(credentials.slice(0, colon), credentials.slice(colon + 1)) ?? false;
  }

  /** Undefined after shutdown. */
  async #hashes(): Promise<SlowHashes | undefined> {
    const { SlowHashes } = await import('./slow-hashes.ts');
    if (this.#users === undefined) return undefined;
    return (this.#slowHashes ??= new SlowHashes(this.#logger));
  }
}

async function readUsers(file: string): Promise<string> {
  try {
    const text = await readFile(file, 'utf8');
    // Parsed separately, so that a problem is reported with its line in the file.
    void new Htpasswd(text);
    return text;
  } catch (cause) {
    throw new Error(`htpasswd::file: ${file}: ${(cause as Error).message}`, { cause });
  }
}
