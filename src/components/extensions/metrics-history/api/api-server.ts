import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Host } from '../../../../engine/component.ts';
import { GuardedServer } from '../../../../engine/net/guarded-server.ts';
import { OwnPages } from '../../../../engine/net/own-pages.ts';
import { pathOf } from '../../../../engine/net/request-path.ts';
import { UnreadAnswers } from '../../../../engine/net/unread-answers.ts';
import type { QueryAnswer } from '../../../../engine/query-apis.ts';
import { PromqlError } from '../../../../promql/promql-error.ts';
import type { MetricsHistoryConfig } from '../config.ts';
import { failure } from './failure.ts';
import type { HistoryApi } from './history-api.ts';
import { readParameters } from './parameters.ts';

/** As long as the longest answer. */
const MAX_UNREAD_BYTES = 32 * 1024 * 1024;

const HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

/** Serves Prometheus's HTTP API for queries. Nothing can be changed through it. */
export class ApiServer {
  readonly #server: GuardedServer;
  readonly #ownPages: OwnPages;
  readonly #api: HistoryApi;
  readonly #unread = new UnreadAnswers(MAX_UNREAD_BYTES);

  constructor(config: MetricsHistoryConfig, logger: Logger, api: HistoryApi) {
    this.#server = new GuardedServer(config, logger);
    this.#ownPages = new OwnPages(config);
    this.#api = api;
  }

  async start(host: Host): Promise<void> {
    await this.#server.start(host, {
      serve: async (request, response) => await this.#serve(request, response),
      refuse: (_request, response) => void response.writeHead(401).end(),
    });
  }

  async stop(deadline: AbortSignal): Promise<void> {
    await this.#server.stop(deadline);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '' } = request;
    if (method !== 'GET' && method !== 'POST') return void response.writeHead(405, { allow: 'GET, POST' }).end();
    const { status, body } = await this.#answer(request, response);
    if (!response.headersSent) this.#unread.send(response.writeHead(status, HEADERS), body);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<QueryAnswer> {
    if (!this.#ownPages.hasOwnName(request) || !this.#ownPages.hasOwnOrigin(request)) {
      return failure('forbidden', 'this name or origin is not allowed: ask by IP address or as localhost');
    }
    try {
      const parameters = await readParameters(request);
      return await this.#api.answer(pathOf(request), parameters, () => !response.destroyed && this.#unread.hasRoom);
    } catch (error) {
      if (error instanceof PromqlError) return failure(error.kind, error.message);
      throw error;
    }
  }
}
