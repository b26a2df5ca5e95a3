import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const KEY = randomBytes(32);

/** Stands for a secret text in comparisons: neither its content nor its length shows in how long they take. */
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
