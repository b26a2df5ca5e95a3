import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const KEY = randomBytes(32);

/** Compares texts with a secret in a time that depends neither on its content nor on its length. */
export class SecretDigest {
  readonly #bytes: Buffer;

  constructor(text: string) {
    this.#bytes = digest(text);
  }

  matches(text: string): boolean {
    return timingSafeEqual(this.#bytes, digest(text));
  }
}

function digest(text: string): Buffer {
  return createHmac('sha256', KEY).update(text).digest();
}
