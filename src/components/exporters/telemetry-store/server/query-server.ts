import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { Logger } from 'pino';
import type { Host } from '../../../../engine/component.ts';
import { GuardedServer } from '../../../../engine/net/guarded-server.ts';
import { pathOf } from '../../../../engine/net/request-path.ts';
import { UnreadAnswers } from '../../../../engine/net/unread-answers.ts';
import { inSlices } from '../../../../engine/time-slice.ts';
import type { TelemetryStoreConfig } from '../config.ts';
import { answerTo, failure, type Answer, type Stored } from './answers.ts';
import { BadQuery } from './parameters.ts';

/** Each search looks at the whole store, so that few at a time are enough. */
const MAX_RUNNING = 8;
/** The size of four of the longest answers. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024;
const RETRY_S = 1;

const HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

/** Answers questions about the store over HTTP, as JSON. */
export class QueryServer {
  readonly #server: GuardedServer;
  readonly #config: TelemetryStoreConfig;
  readonly #logger: Logger;
  readonly #stored: Stored;
  readonly #hosts: ReadonlySet<string>;
  readonly #unread = new UnreadAnswers(MAX_UNREAD_BYTES);
  #running = 0;

  constructor(config: TelemetryStoreConfig, logger: Logger, stored: Stored) {
    this.#server = new GuardedServer(config, logger);
    this.#config = config;
    this.#logger = logger;
    this.#stored = stored;
    this.#hosts = new Set(
      ['localhost', config.endpoint.host, ...config.allowed_hosts].map((host) => host.toLowerCase()),
    );
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

  async #answer(request: IncomingMessage): Promise<Answer> {
    if (request.method !== 'GET') return failure(405, 'only GET is allowed');
    if (!this.#isOwnName(request.headers.host ?? '')) {
      return failure(421, 'this host name is not allowed: add it to allowed_hosts');
    }
    if (!this.#isOwnOrigin(request)) return failure(403, 'pages of this origin may not ask: add it to cors');
    if (this.#running >= MAX_RUNNING) return failure(503, 'too many queries run at the same time');
    if (!this.#unread.hasRoom) return failure(503, 'too many answers wait for their readers');
    this.#running++;
    try {
      return await inSlices(answerTo(pathOf(request), queryOf(request), this.#stored));
    } catch (err) {
      if (err instanceof BadQuery) return failure(400, err.message);
      this.#logger.error({ err }, 'A query failed');
      return failure(500, 'the query failed; see the log of the sidecar');
    } finally {
      this.#running--;
    }
  }

  #send(response: ServerResponse, { status, body }: Answer): void {
    if (status === 503) response.setHeader('Retry-After', RETRY_S);
    if (status === 405) response.setHeader('Allow', 'GET');
    this.#unread.send(response.writeHead(status, HEADERS), body);
  }

  /** A page of another site may not ask, unless `cors` allows its origin. With authentication it lacks the credentials. */
  #isOwnOrigin({ headers: { host = '', origin } }: IncomingMessage): boolean {
    const { auth, cors } = this.#config;
    if (origin === undefined || auth !== undefined || (cors?.allowed_origins.length ?? 0) > 0) return true;
    return ['http://', 'https://'].some((scheme) => origin === scheme + host);
  }

  /** Another name that leads here may be that of a site which wants to read what only this machine may. */
  #isOwnName(host: string): boolean {
    const name = host
      .replace(/:\d+$/, '')
      .replace(/^\[(.*)\]$/, '$1')
      .toLowerCase();
    return isIP(name) !== 0 || this.#hosts.has(name);
  }
}

function queryOf({ url = '' }: IncomingMessage): URLSearchParams {
  const at = url.indexOf('?');
  return new URLSearchParams(at === -1 ? '' : url.slice(at + 1));
}
