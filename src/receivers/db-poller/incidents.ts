import type { Logger } from 'pino';

/** Says once that something went wrong, and once that it is well again. */
export class Incidents {
  readonly #logger: Logger;
  readonly #open = new Set<string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** `key` names what is broken; while it is, nothing more is said about it. */
  begin(key: string, fields: Readonly<Record<string, unknown>>, sentence: string): void {
    if (this.#open.has(key)) return;
    this.#open.add(key);
    this.#logger.warn(fields, sentence);
  }

  end(key: string, fields: Readonly<Record<string, unknown>>, sentence: string): void {
    if (this.#open.delete(key)) this.#logger.info(fields, sentence);
  }
}
