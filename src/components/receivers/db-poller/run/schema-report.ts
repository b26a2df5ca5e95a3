import type { Logger } from 'pino';
import type { MissingByQuery, MissingColumns } from './schema.ts';

/** Says what the schema lacks, and again only when that has changed. */
export class SchemaReport {
  readonly #logger: Logger;
  #lastSaid = '{}';

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  found(missing: MissingByQuery): void {
    const lacking = { ...columnsBy('off', missing, 'needed'), ...columnsBy('tells_less', missing, 'optional') };
    const text = JSON.stringify(lacking);
    if (text === this.#lastSaid) return;
    this.#lastSaid = text;
    if (text === '{}') this.#logger.info('No column is missing any more: every query is on');
    else this.#logger.warn(lacking, 'Columns are missing or not granted: queries are off or tell less');
  }
}

/** `{ [field]: { query: columns } }`, or nothing if no query lacks any. */
function columnsBy(field: string, missing: MissingByQuery, kind: keyof MissingColumns): Record<string, unknown> {
  const lacking = [...missing].filter(([, columns]) => columns[kind].length > 0);
  if (lacking.length === 0) return {};
  return { [field]: Object.fromEntries(lacking.map(([query, columns]) => [query, columns[kind]])) };
}
