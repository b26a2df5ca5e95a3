import { readFile } from 'node:fs/promises';
import type { Authenticator, HeaderReader } from '../../collector/authenticator.ts';
import type { Component } from '../../collector/component.ts';
import type { BasicAuthConfig } from './config.ts';
import { Htpasswd } from './htpasswd.ts';

/** Lets in who shows a user's name and password. https://www.rfc-editor.org/rfc/rfc7617 */
export class BasicAuthExtension implements Component, Authenticator {
  readonly challenge = 'Basic realm="siphon", charset="UTF-8"';
  readonly #config: BasicAuthConfig;
  #users: Htpasswd | undefined;

  constructor(config: BasicAuthConfig) {
    this.#config = config;
  }

  async start(): Promise<void> {
    const { inline, file } = this.#config.htpasswd;
    const texts = [inline?.reveal() ?? '', file === undefined ? '' : await readUsers(file)];
    this.#users = new Htpasswd(texts.join('\n'));
  }

  async shutdown(): Promise<void> {
    this.#users = undefined;
  }

  authenticate(header: HeaderReader): boolean {
    const encoded = /^basic +(\S+)$/i.exec(header('authorization') ?? '')?.[1];
    if (encoded === undefined) return false;
    const credentials = Buffer.from(encoded, 'base64').toString();
    const colon = credentials.indexOf(':');
    if (colon === -1) return false;
    return this.#users?.verify(credentials.slice(0, colon), credentials.slice(colon + 1)) ?? false;
  }
}

async function readUsers(file: string): Promise<string> {
  try {
    const text = await readFile(file, 'utf8');
    // By itself, so that a problem is told with the line of the file.
    void new Htpasswd(text);
    return text;
  } catch (cause) {
    throw new Error(`htpasswd::file: ${file}: ${(cause as Error).message}`, { cause });
  }
}
