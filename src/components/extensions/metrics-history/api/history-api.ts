import type { ComponentSettings } from '../../../../engine/component.ts';
import type { QueryAnswer, QueryApi } from '../../../../engine/query-apis.ts';
import { inSlices } from '../../../../engine/time-slice.ts';
import { PromqlError } from '../../../../promql/promql-error.ts';
import { evaluationSettings, type MetricsHistoryConfig } from '../config.ts';
import { failure } from './failure.ts';
import { QueryQueue } from './query-queue.ts';
import { PREFIX, routeOf, type ApiContent } from './routes.ts';

const MAX_WAITING = 100;

/** Answers the queries of Prometheus's HTTP API, one after another. */
export class HistoryApi implements QueryApi {
  readonly prefix = PREFIX;
  readonly #logger: ComponentSettings['logger'];
  readonly #content: ApiContent;
  readonly #queue = new QueryQueue(MAX_WAITING);

  constructor(
    config: MetricsHistoryConfig,
    { logger, version }: Pick<ComponentSettings, 'logger' | 'version'>,
    content: Omit<ApiContent, 'settings' | 'version'>,
  ) {
    this.#logger = logger;
    this.#content = { ...content, settings: evaluationSettings(config), version };
  }

  async answer(path: string, parameters: URLSearchParams, hasRoom: () => boolean): Promise<QueryAnswer> {
    const route = routeOf(path);
    if (route === undefined) return failure('not_found', 'this path is not supported');
    try {
      const answer = await this.#queue.run(async () => {
        if (!hasRoom()) return failure('unavailable', 'too many answers wait for their readers');
        const data = await inSlices(route(this.#content, parameters));
        return { status: 200, body: `{"status":"success","data":${data}}` };
      });
      return answer ?? failure('unavailable', `more than ${MAX_WAITING} queries are waiting`);
    } catch (err) {
      if (err instanceof PromqlError) return failure(err.kind, err.message);
      this.#logger.error({ err }, 'A query failed');
      return failure('internal', 'the query failed: the log of siphon has the reason');
    }
  }
}
