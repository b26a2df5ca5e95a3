import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { ComponentSettings, Host } from '../../../../engine/component.ts';
import { GuardedServer } from '../../../../engine/net/guarded-server.ts';
import { pathOf } from '../../../../engine/net/request-path.ts';
import { UnreadAnswers } from '../../../../engine/net/unread-answers.ts';
import { inSlices } from '../../../../engine/time-slice.ts';
import { PromqlError } from '../../../../promql/promql-error.ts';
import type { MetricsHistoryConfig } from '../config.ts';
import { readParameters } from './parameters.ts';
import { QueryQueue } from './query-queue.ts';
import { routeOf, type ApiContent } from './routes.ts';

const MAX_WAITING = 100;
/** As long as the longest answer. */
const MAX_UNREAD_BYTES = 32 * 1024 * 1024;

/** The step of subqueries without one: the interval of rules that Prometheus has by default. */
const SUBQUERY_STEP_MS = 60_000;

const STATUSES = {
  bad_data: 400,
  execution: 422,
  timeout: 503,
  unavailable: 503,
  internal: 500,
  not_found: 404,
  forbidden: 403,
} as const;

const HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

/** Serves Prometheus's HTTP API for queries. Nothing can be changed through it. */
export class ApiServer {
  readonly #server: GuardedServer;
  readonly #config: MetricsHistoryConfig;
  readonly #logger: ComponentSettings['logger'];
  readonly #content: ApiContent;
  readonly #queue = new QueryQueue(MAX_WAITING);
  readonly #unread = new UnreadAnswers(MAX_UNREAD_BYTES);

  constructor(
    config: MetricsHistoryConfig,
    { logger, version }: Pick<ComponentSettings, 'logger' | 'version'>,
    content: Pick<ApiContent, 'history' | 'metadata'>,
  ) {
    this.#server = new GuardedServer(config, logger);
    this.#config = config;
    this.#logger = logger;
    const settings = {
      lookbackMs: config.lookback,
      subqueryStepMs: SUBQUERY_STEP_MS,
      maxSamples: config.max_query_samples,
      maxSeries: config.max_query_series,
      timeoutMs: config.query_timeout,
    };
    this.#content = { ...content, settings, version };
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
    if (!this.#isFromHere(request)) {
      return refuse(response, 'forbidden', 'this name or origin is not allowed: ask by IP address or as localhost');
    }
    const route = routeOf(pathOf(request));
    if (route === undefined) return refuse(response, 'not_found', 'this path is not supported');
    try {
      const parameters = await readParameters(request);
      const isTaken = await this.#queue.run(async () => {
        // Who asked may have gone while the query was waiting.
        if (response.destroyed) return true;
        if (!this.#unread.hasRoom) {
          refuse(response, 'unavailable', 'too many answers wait for their readers');
          return true;
        }
        const data = await inSlices(route(this.#content, parameters));
        this.#unread.send(response.writeHead(200, HEADERS), `{"status":"success","data":${data}}`);
        return true;
      });
      if (isTaken === undefined) refuse(response, 'unavailable', `more than ${MAX_WAITING} queries are waiting`);
    } catch (error) {
      if (error instanceof PromqlError) return refuse(response, error.kind, error.message);
      this.#logger.error({ err: error }, 'A query failed');
      refuse(response, 'internal', 'the query failed: the log of siphon has the reason');
    }
  }

  /**
   * A page of another site may not ask: it can make its own name lead to this address. With authentication it lacks the
   * credentials.
   */
  #isFromHere({ headers: { host = '', origin } }: IncomingMessage): boolean {
    if (this.#config.auth !== undefined) return true;
    if (origin !== undefined && !['http://', 'https://'].some((scheme) => origin === scheme + host)) return false;
    const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
    return isIP(name) !== 0 || name === 'localhost' || name === this.#config.endpoint.host;
  }
}

function refuse(response: ServerResponse, errorType: keyof typeof STATUSES, error: string): void {
  if (response.headersSent) return;
  response.writeHead(STATUSES[errorType], HEADERS).end(JSON.stringify({ status: 'error', errorType, error }));
}
