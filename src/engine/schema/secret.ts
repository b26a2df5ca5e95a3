import { inspect } from 'node:util';

const REDACTED = '[REDACTED]';

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

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
