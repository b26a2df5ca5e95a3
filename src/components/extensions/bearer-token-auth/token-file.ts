import { readFile, stat } from 'node:fs/promises';
import type { Logger } from 'pino';
import { SecretDigest } from '../../../engine/secret-digest.ts';
import { Incident } from '../../../engine/incident.ts';

/** How long a changed file may remain unnoticed while requests arrive. */
const LOOK_AFTER_MS = 1000;

/** The tokens of a file, one in each line. The file may be replaced while siphon runs, also by another link as in Kubernetes. */
export class TokenFile {
  readonly #file: string;
  readonly #incident: Incident;
  #tokens: readonly SecretDigest[] = [];
  #version = '';
  #lookedMs = 0;
  #look: Promise<readonly SecretDigest[]> | undefined;

  constructor(file: string, logger: Logger) {
    this.#file = file;
    this.#incident = new Incident(logger, {
      failing: 'The token file cannot be used; its previous tokens remain valid',
      recovered: 'The token file can be used again',
    });
  }

  /** @throws Error with the name of the file, if it cannot be read or contains no token. */
  async open(): Promise<void> {
    this.#version = await this.#stamp();
    this.#tokens = await this.#read();
    this.#lookedMs = performance.now();
  }

  /** Synchronous, or a promise if the file was last checked more than a second ago. */
  get tokens(): readonly SecretDigest[] | Promise<readonly SecretDigest[]> {
    if (performance.now() - this.#lookedMs < LOOK_AFTER_MS) return this.#look ?? this.#tokens;
    this.#lookedMs = performance.now();
    this.#look = this.#refresh().finally(() => (this.#look = undefined));
    return this.#look;
  }

  async #refresh(): Promise<readonly SecretDigest[]> {
    try {
      const version = await this.#stamp();
      if (version !== this.#version) {
        this.#tokens = await this.#read();
        this.#version = version;
      }
      this.#incident.succeeded();
    } catch (error) {
      this.#incident.failed(error);
    }
    return this.#tokens;
  }

  async #stamp(): Promise<string> {
    const { ino, size, mtimeNs } = await stat(this.#file, { bigint: true }).catch((cause: Error) => {
      throw new Error(`filename: ${this.#file} cannot be read: ${cause.message}`, { cause });
    });
    return [ino, size, mtimeNs].join(' ');
  }

  async #read(): Promise<readonly SecretDigest[]> {
    const text = await readFile(this.#file, 'utf8').catch((cause: Error) => {
      throw new Error(`filename: ${this.#file} cannot be read: ${cause.message}`, { cause });
    });
    const tokens = text.split('\n').flatMap((line) => line.trim() || []);
    if (tokens.length === 0) throw new Error(`filename: ${this.#file} contains no token: write one token in each line`);
    return tokens.map((token) => new SecretDigest(token));
  }
}
