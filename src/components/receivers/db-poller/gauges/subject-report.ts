import type { Logger } from 'pino';
import type { Remark } from '../query.ts';

const MAX_NAMED = 10;

const sentences: Readonly<Record<Remark, { readonly found: string; readonly gone: string }>> = {
  invalid_cron: {
    found: 'Cron texts are invalid or never come: there is no point for them',
    gone: 'Every cron text is valid again',
  },
  missing_table: {
    found: 'Tables that are listed are not there: they have no series',
    gone: 'Every table that is listed is there',
  },
};

/** Says of whom a remark is true: whenever there is one more, and once when there is nobody left. */
export class SubjectReport {
  readonly #logger: Logger;
  readonly #remark: Remark;
  #known: ReadonlySet<string> = new Set();

  constructor(logger: Logger, remark: Remark) {
    this.#logger = logger;
    this.#remark = remark;
  }

  /** @param subjects all that one poll found. */
  found(subjects: readonly string[]): void {
    const before = this.#known;
    this.#known = new Set(subjects);
    const { found, gone } = sentences[this.#remark];
    if (subjects.some((subject) => !before.has(subject))) {
      this.#logger.warn({ subjects: subjects.slice(0, MAX_NAMED), count: subjects.length }, found);
    } else if (subjects.length === 0 && before.size > 0) {
      this.#logger.info(gone);
    }
  }
}
