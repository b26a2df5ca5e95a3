import { inspect } from 'node:util';
import { MASK, maskUrl, type MaskedUrl } from './mask-url.ts';

/**
 * A text that must never get into a log, an error message or the output of print-config. Printed in any way, it is
 * masked. Only `reveal` returns the text.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  /** True for an empty text, which most components treat as not set. */
  get isEmpty(): boolean {
    return this.#text === '';
  }

  /** The text for print-config. */
  get masked(): string {
    return MASK;
  }

  /** The parts that must not be printed anywhere. */
  get credentials(): readonly string[] {
    return [this.#text];
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [inspect.custom](): string {
    return MASK;
  }
}

/** An address with credentials. print-config shows the address, so that it can be compared, and masks the credentials. */
export class SecretUrl extends Secret {
  override get masked(): string {
    return this.#readable?.text ?? MASK;
  }

  override get credentials(): readonly string[] {
    return this.#readable?.credentials ?? [this.reveal(), ...keywordPasswords(this.reveal())];
  }

  /** Undefined if it is unclear where the password ends: an `@` after the authority may belong to it. */
  get #readable(): MaskedUrl | undefined {
    const text = this.reveal();
    const isClear = !text.slice(authorityEnd(text)).includes('@');
    return isClear ? maskUrl(text) : undefined;
  }
}

/** An address whose path is a secret, as that of a webhook. print-config shows only its origin. */
export class SecretPathUrl extends Secret {
  override get masked(): string {
    const url = URL.parse(this.reveal());
    return url === null || url.host === '' ? MASK : `${url.protocol}//${url.host}/${MASK}`;
  }

  /** Words such as `services` are parts of many texts, and no secrets. */
  override get credentials(): readonly string[] {
    const { username = '', password = '' } = URL.parse(this.reveal()) ?? {};
    const path = this.reveal().slice(authorityEnd(this.reveal()));
    const parts = path.split(/[/?#]/);
    const secretParts = parts.filter((part, index) => index === parts.length - 1 || !/^[a-z]*$/.test(part));
    return [this.reveal(), path.slice(1), ...secretParts, username, password].filter((text) => text !== '');
  }
}

/** The passwords of a connection string with keywords, as in `host=db password='a b'`. */
function keywordPasswords(text: string): string[] {
  const found = text.matchAll(/password\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S+))/gi);
  return [...found].map(([, quoted, plain = '']) => (quoted ?? plain).replaceAll(/\\(.)/g, '$1'));
}

function authorityEnd(text: string): number {
  return /^[^:]*:\/\/[^/?#]*/.exec(text)?.[0].length ?? 0;
}
