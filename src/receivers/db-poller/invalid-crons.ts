import type { Logger } from 'pino';

const MAX_NAMED = 10;

/** Says which cron texts have no meaning: whenever one more is found, and once when all have one again. */
export class InvalidCrons {
  readonly #logger: Logger;
  #known: ReadonlySet<string> = new Set();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @param subjects whose cron texts they are; all that one poll found. */
  found(subjects: readonly string[]): void {
    const before = this.#known;
    this.#known = new Set(subjects);
    if (subjects.some((subject) => !before.has(subject))) {
      const fields = { subjects: subjects.slice(0, MAX_NAMED), count: subjects.length };
      this.#logger.warn(fields, 'Cron texts are invalid or never come: there is no point for them');
    } else if (subjects.length === 0 && before.size > 0) {
      this.#logger.info('Every cron text is valid again');
    }
  }
}
