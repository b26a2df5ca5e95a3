import type { Http2Server, Http2Session, IncomingHttpHeaders, ServerHttp2Stream, ServerOptions } from 'node:http2';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { announce } from '../../../../engine/net/announce.ts';
import { CertificateReload } from '../../../../engine/net/certificate-reload.ts';
import { ConnectionLimit, connectionsWithin, SENDERS_SHARE } from '../../../../engine/net/connection-limit.ts';
import { HandlerRelay } from '../../../../engine/net/handler-relay.ts';
import type { HandedServer, Handover } from '../../../../engine/handover.ts';
import { endBy, listen } from '../../../../engine/net/http-server.ts';
import { Shares } from '../../../../engine/net/shares.ts';
import { readContext, replaceContext } from '../../../../engine/net/tls.ts';
import type { Endpoint } from '../../../../engine/schema/fields.ts';
import type { GrpcConfig } from '../config.ts';
import { keepWatch } from './keepalive.ts';

/** Owns the stream until it is closed. */
export type ServeCall = (stream: ServerHttp2Stream, head: CallHead) => void;

export interface CallHead {
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they arrived. */
  readonly rawHeaders: readonly string[];
}

interface CallHandlers {
  readonly serve: ServeCall;
  /** Called when a client begins with anything but HTTP/2. */
  readonly noticeHttp1: () => void;
}

/** An HTTP/2 server, with or without TLS. */
export class GrpcServer implements HandedServer {
  readonly key: string;
  readonly #server: Http2Server;
  readonly #handover: Handover;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Map<Http2Session, Socket>();
  readonly #relay = new HandlerRelay<CallHandlers>();
  #endpoint: Endpoint;
  #reload: CertificateReload | undefined;

  private constructor(server: Http2Server, config: GrpcConfig, handover: Handover) {
    this.key = keyOf(config);
    this.#server = server;
    this.#endpoint = config.endpoint;
    this.#handover = handover;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /**
   * Takes over the server of a receiver that has ended with the same settings, or opens one.
   *
   * @throws Error that names the endpoint or the file, and the repair, if it cannot start.
   */
  static async start(
    config: GrpcConfig,
    handlers: CallHandlers,
    { logger, handover }: { readonly logger: Logger; readonly handover: Handover },
  ): Promise<GrpcServer> {
    const { endpoint, tls } = config;
    // The files of a server that is taken over may have changed.
    const context = tls && !handover.restores ? await readContext(tls) : undefined;
    const taken = handover.take({ key: keyOf(config), port: endpoint.port }, isGrpcServer);
    if (taken !== undefined && context !== undefined) replaceContext(taken.#server, context);
    const started = taken ?? (await GrpcServer.#open(config, handover));
    started.#relay.serve(handlers);
    started.#reload = new CertificateReload(started.#server, tls, logger);
    announce(logger, { endpoint: started.#endpoint, transport: 'grpc' }, config);
    return started;
  }

  static async #open(config: GrpcConfig, handover: Handover): Promise<GrpcServer> {
    const server = await createServerFor(config);
    const opened = new GrpcServer(server, config, handover);
    const event = config.tls === undefined ? 'connection' : 'secureConnection';
    const limit = new ConnectionLimit(server, connectionsWithin(config.max_connections, SENDERS_SHARE), event);
    // Before Node's own listener, which reads the limit. Calls of all connections can begin in one turn of the event loop.
    const calls = new Shares({ total: MAX_CALLS, min: MIN_CALLS, max: config.max_concurrent_streams });
    let connecting: Socket;
    server.prependListener(event, (socket: Socket) => {
      connecting = socket;
      server.updateSettings({ maxConcurrentStreams: calls.give(socket) });
    });
    // Node's own listener emits it, before the next connection.
    server.on('session', (session) => {
      opened.#sessions.set(session, connecting);
      session.once('close', () => opened.#sessions.delete(session));
      session.setLocalWindowSize(WINDOW_BYTES);
      keepWatch(session, connecting, config.keepalive);
    });
    server.on('stream', (stream, headers, _flags, rawHeaders) => {
      // Every stream error also closes the stream, which is handled.
      stream.on('error', () => undefined);
      const socket = stream.session && opened.#sessions.get(stream.session);
      if (socket !== undefined) limit.requested(socket, stream);
      opened.#relay.pass(stream, ({ serve }) => serve(stream, { headers, rawHeaders }));
    });
    server.on('sessionError', ({ errno }: { errno?: number }) => {
      if (errno === BAD_CLIENT_MAGIC) opened.#relay.current?.noticeHttp1();
    });
    opened.#endpoint = await listen(server, config.endpoint);
    return opened;
  }

  get port(): number {
    return this.#endpoint.port;
  }

  /**
   * Waits for running calls, and cuts them off when the deadline aborts. Accepts no new ones; while a reload runs, they
   * wait for the next receiver.
   */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#reload?.[Symbol.dispose]();
    if (this.#handover.offer(this)) await this.#relay.hold(deadline);
    else await this.close(deadline);
  }

  async close(deadline: AbortSignal): Promise<void> {
    this.#relay.discard();
    await endBy(this.#server, deadline, {
      end: () => {
        for (const session of this.#sessions.keys()) session.close();
      },
      cutOff: () => {
        for (const socket of this.#sockets) socket.destroy();
      },
    });
  }
}

function isGrpcServer(server: HandedServer): server is GrpcServer {
  return server instanceof GrpcServer;
}

/** Only these settings belong to the server. The others belong to the receiver behind it. */
function keyOf({ endpoint, tls, keepalive, max_connections, ...limits }: GrpcConfig): string {
  const { max_concurrent_streams, max_recv_msg_size_mib } = limits;
  return JSON.stringify({ endpoint, tls, keepalive, max_connections, max_concurrent_streams, max_recv_msg_size_mib });
}

/** nghttp2's code for a connection that does not begin as HTTP/2 does. */
const BAD_CLIENT_MAGIC = -903;
const HANDSHAKE_MS = 10_000;
/** Large enough for many messages of a usual size on one connection. */
const WINDOW_BYTES = 1024 * 1024;
/** Larger messages wait for window updates. */
const STREAM_WINDOW_BYTES = 256 * 1024;
const MAX_HEADER_PAIRS = 4096;
const MAX_HEADER_BYTES = 64 * 1024;
/** Calls of all connections. */
const MAX_CALLS = 2000;
const MIN_CALLS = 2;
/** Node's default, for everything but messages. */
const SPARE_MB = 10;

/** Loads HTTP/2 only if gRPC is on. */
async function createServerFor({ tls, ...config }: GrpcConfig): Promise<Http2Server> {
  const { createSecureServer, createServer } = await import('node:http2');
  const options = serverOptions(config);
  if (tls === undefined) return createServer(options);
  return createSecureServer({ ...options, ...(await readContext(tls)), handshakeTimeout: HANDSHAKE_MS });
}

function serverOptions({ max_concurrent_streams, max_recv_msg_size_mib }: Omit<GrpcConfig, 'tls'>): ServerOptions {
  return {
    settings: {
      maxConcurrentStreams: max_concurrent_streams,
      initialWindowSize: STREAM_WINDOW_BYTES,
      enablePush: false,
      maxHeaderListSize: MAX_HEADER_BYTES,
    },
    maxHeaderListPairs: MAX_HEADER_PAIRS,
    // In megabytes. With less, Node resets calls that the limits allow, and their data is lost.
    maxSessionMemory: Math.min(SPARE_MB + max_concurrent_streams * max_recv_msg_size_mib * 1.05, 2 ** 32 - 1),
  };
}
