import type { Logger } from 'pino';

/** Logs once that something fails, and once that it works again, however often it is repeated. */
export class Incident {
  readonly #logger: Logger;
  readonly #failing: string;
  readonly #recovered: string;
  #failures = 0;

  constructor(logger: Logger, messages: { readonly failing: string; readonly recovered: string }) {
    this.#logger = logger;
    this.#failing = messages.failing;
    this.#recovered = messages.recovered;
  }

  failed(err: unknown): void {
    if (this.#failures++ === 0) this.#logger.warn({ err }, this.#failing);
  }

  succeeded(): void {
    if (this.#failures === 0) return;
    this.#logger.info({ failures: this.#failures }, this.#recovered);
    this.#failures = 0;
  }
}
