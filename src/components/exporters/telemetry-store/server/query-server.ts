import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Host } from '../../../../engine/component.ts';
import { GuardedServer } from '../../../../engine/net/guarded-server.ts';
import { OwnPages } from '../../../../engine/net/own-pages.ts';
import { pathOf, queryOf } from '../../../../engine/net/request-path.ts';
import { UnreadAnswers } from '../../../../engine/net/unread-answers.ts';
import type { QueryAnswer, QueryApi } from '../../../../engine/query-apis.ts';
import type { TelemetryStoreConfig } from '../config.ts';
import { failure } from './answers.ts';

/** The size of four of the longest answers. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024;
const RETRY_S = 1;

const HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

/** Serves the queries about the store over HTTP. */
export class QueryServer {
  readonly #server: GuardedServer;
  readonly #ownPages: OwnPages;
  readonly #api: QueryApi;
  readonly #unread = new UnreadAnswers(MAX_UNREAD_BYTES);

  constructor(config: TelemetryStoreConfig, logger: Logger, api: QueryApi) {
    this.#server = new GuardedServer(config, logger);
    this.#ownPages = new OwnPages(config, config.allowed_hosts);
    this.#api = api;
  }

  async start(host: Host): Promise<void> {
    await this.#server.start(host, {
      serve: async (request, response) => this.#send(response, await this.#answer(request)),
      refuse: (_request, response) => this.#send(response, failure(401, 'the credentials are missing or wrong')),
    });
  }

  async stop(deadline: AbortSignal): Promise<void> {
    await this.#server.stop(deadline);
  }

  async #answer(request: IncomingMessage): Promise<QueryAnswer> {
    if (request.method !== 'GET') return failure(405, 'only GET is allowed');
    if (!this.#ownPages.hasOwnName(request)) {
      return failure(421, 'this host name is not allowed: add it to allowed_hosts');
    }
    if (!this.#ownPages.hasOwnOrigin(request)) return failure(403, 'pages of this origin may not ask: add it to cors');
    return await this.#api.answer(pathOf(request), queryOf(request), () => this.#unread.hasRoom);
  }

  #send(response: ServerResponse, { status, body }: QueryAnswer): void {
    if (status === 503) response.setHeader('Retry-After', RETRY_S);
    if (status === 405) response.setHeader('Allow', 'GET');
    this.#unread.send(response.writeHead(status, HEADERS), body);
  }
}
