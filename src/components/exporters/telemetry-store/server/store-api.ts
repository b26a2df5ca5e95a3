import type { Logger } from 'pino';
import type { QueryAnswer, QueryApi } from '../../../../engine/query-apis.ts';
import { inSlices } from '../../../../engine/time-slice.ts';
import { answerTo, failure } from './answers.ts';
import { BadQuery } from './parameters.ts';
import type { Stored } from './stored.ts';

/** Each search looks at the whole store, so that few at a time are enough. */
const MAX_RUNNING = 8;

/** Answers questions about the store, as JSON. */
export class StoreApi implements QueryApi {
  readonly prefix = '/api/';
  readonly #stored: Stored;
  readonly #logger: Logger;
  #running = 0;

  constructor(stored: Stored, logger: Logger) {
    this.#stored = stored;
    this.#logger = logger;
  }

  async answer(path: string, parameters: URLSearchParams, hasRoom: () => boolean): Promise<QueryAnswer> {
    if (!hasRoom()) return failure(503, 'too many answers wait for their readers');
    if (this.#running >= MAX_RUNNING) return failure(503, 'too many queries run at the same time');
    this.#running++;
    try {
      return await inSlices(answerTo(path, parameters, this.#stored));
    } catch (err) {
      if (err instanceof BadQuery) return failure(400, err.message);
      this.#logger.error({ err }, 'A query failed');
      return failure(500, 'the query failed; see the log of the sidecar');
    } finally {
      this.#running--;
    }
  }
}
