import type { Socket } from 'node:net';
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Endpoint } from '../schema/fields.ts';
import type { ServerTlsConfig } from '../schema/tls.ts';
import { ConnectionLimit } from './connection-limit.ts';
import { headerMemory } from './header-memory.ts';
import { HandlerRelay } from './handler-relay.ts';
import type { HandedServer, Handover } from '../handover.ts';
import { close, listen } from './http-server.ts';
import { serveInTurn } from './request-turns.ts';
import { Shares } from './shares.ts';
import { createServerFor, MAX_HEADER_BYTES, readContext, replaceContext } from './tls.ts';

export interface HttpListenerSettings {
  readonly endpoint: Endpoint;
  readonly tls?: ServerTlsConfig | undefined;
  readonly timeouts?: ServerOptions;
  readonly maxConnections: number;
}

export interface HttpHandlers {
  readonly request: (request: IncomingMessage, response: ServerResponse) => void;
  /** Answers 503 to a request whose headers do not fit into memory; plain text unless defined. */
  readonly busy?: (request: IncomingMessage, response: ServerResponse) => void;
  /** Called when a client begins with HTTP/2, which no HTTP server here has. */
  readonly http2?: () => void;
}

/** An HTTP server on its address. Its handlers change when a reload replaces the component behind it. */
export class HttpListener implements HandedServer {
  readonly key: string;
  readonly endpoint: Endpoint;
  readonly server: Server;
  readonly #handover: Handover;
  readonly #relay: HandlerRelay<HttpHandlers>;

  private constructor(
    { key, endpoint, server }: Pick<HttpListener, 'key' | 'endpoint' | 'server'>,
    relay: HandlerRelay<HttpHandlers>,
    handover: Handover,
  ) {
    this.key = key;
    this.server = server;
    this.endpoint = endpoint;
    this.#relay = relay;
    this.#handover = handover;
  }

  /**
   * Takes over the server of a component that has ended with the same settings, or opens one.
   *
   * @throws Error that names the endpoint or the file, and the repair.
   */
  static async open(settings: HttpListenerSettings, handover: Handover, handlers: HttpHandlers): Promise<HttpListener> {
    const { endpoint, tls } = settings;
    const key = JSON.stringify(settings);
    // The files of a server that is taken over may have changed.
    const context = tls && !handover.restores ? await readContext(tls) : undefined;
    const taken = handover.take({ key, port: endpoint.port }, isHttpListener);
    if (taken !== undefined && context !== undefined) replaceContext(taken.server, context);
    const listener = taken ?? (await HttpListener.#create(key, settings, handover));
    listener.#relay.serve(handlers);
    return listener;
  }

  static async #create(
    key: string,
    { endpoint, tls, timeouts = {}, maxConnections }: HttpListenerSettings,
    handover: Handover,
  ): Promise<HttpListener> {
    const relay = new HandlerRelay<HttpHandlers>();
    const server = await createServerFor(tls, timeouts, (request, response) => {
      limit.requested(request.socket, response);
      const hasRoom = headerMemory.take(request, [request, response], () => request.socket.destroy());
      serveInTurn(request, response, () =>
        relay.pass(response, (handlers) => {
          if (hasRoom) handlers.request(request, response);
          else refuseHeaders(handlers, request, response);
        }),
      );
    });
    const event = tls === undefined ? 'connection' : 'secureConnection';
    const limit = new ConnectionLimit(server, maxConnections, event);
    const headers = new Shares(HEADER_LIMITS);
    // Before Node's own listener, which reads the limit.
    server.prependListener(event, (socket: Socket) => Object.assign(server, { maxHeaderSize: headers.give(socket) }));
    answerClientErrors(server, () => relay.current?.http2?.());
    return new HttpListener({ key, server, endpoint: await listen(server, endpoint) }, relay, handover);
  }

  get port(): number {
    return this.endpoint.port;
  }

  /**
   * Ends with its component: waits for running requests, and cuts them off when the deadline aborts. Accepts no new
   * connections, unless a reload runs.
   *
   * @returns true if the server stays open for the next component.
   */
  stop(deadline: AbortSignal): { readonly isKept: boolean; readonly stopped: Promise<void> } {
    if (!this.#handover.offer(this)) return { isKept: false, stopped: this.close(deadline) };
    return { isKept: true, stopped: this.#relay.hold(deadline) };
  }

  async close(deadline: AbortSignal): Promise<void> {
    this.#relay.discard();
    await close(this.server, deadline);
  }
}

function isHttpListener(server: HandedServer): server is HttpListener {
  return server instanceof HttpListener;
}

/** The connection ends, because its request may not. */
function refuseHeaders({ busy = refuseBusy }: HttpHandlers, request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('Connection', 'close');
  busy(request, response);
  request.rawHeaders.length = 0;
}

function refuseBusy(_request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('Retry-After', HEADERS_RETRY_MS / 1000);
  response.writeHead(503, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${HEADERS_BUSY}\n`);
}

/** One turn of the event loop can read the headers of all connections, so it is too late to close some afterwards. */
const HEADER_LIMITS = { total: 16 * 1024 * 1024, min: 16 * 1024, max: MAX_HEADER_BYTES };

/** The answer to headers for which there is no room. */
export const HEADERS_BUSY = 'the headers of other requests use too much memory';
/** When it should be sent again. */
export const HEADERS_RETRY_MS = 5000;

const STATUSES: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** Answers what is not HTTP/1.1 as Node does, and reports HTTP/2. */
function answerClientErrors(server: Server, noticeHttp2: () => void): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'HPE_PAUSED_H2_UPGRADE') noticeHttp2();
    const status = STATUSES[error.code ?? ''] ?? '400 Bad Request';
    if (socket.writable) socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
    socket.destroy(error);
  });
}
