import type {
  Http2Server,
  IncomingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
  ServerOptions,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { announce } from '../../../../engine/net/announce.ts';
import { CertificateReload } from '../../../../engine/net/certificate-reload.ts';
import { endBy, listen } from '../../../../engine/net/http-server.ts';
import { readContext } from '../../../../engine/net/tls.ts';
import type { GrpcConfig } from '../config.ts';
import { keepWatch } from './keepalive.ts';

/** Owns the stream until it is closed. */
export type ServeCall = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** An HTTP/2 server, with or without TLS. */
export class GrpcServer {
  readonly #server: Http2Server;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #reload: CertificateReload;

  private constructor(server: Http2Server, config: GrpcConfig, logger: Logger) {
    this.#server = server;
    this.#reload = new CertificateReload(server, config.tls, logger);
    server.on('connection', (socket: Socket) => keepWhileOpen(this.#sockets, socket));
    server.on('session', (session) => {
      keepWhileOpen(this.#sessions, session);
      session.setLocalWindowSize(WINDOW_BYTES);
      keepWatch(session, config.keepalive);
    });
  }

  /** @throws Error that names the endpoint or the file, and the repair, if it cannot start. */
  static async start(config: GrpcConfig, serve: ServeCall, logger: Logger): Promise<GrpcServer> {
    const server = await createServerFor(config);
    const started = new GrpcServer(server, config, logger);
    server.on('stream', serve);
    const endpoint = await listen(server, config.endpoint);
    announce(logger, { endpoint, transport: 'grpc' }, config);
    return started;
  }

  /** Accepts no new calls, waits for running ones, and cuts them off when the deadline aborts. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#reload[Symbol.dispose]();
    await endBy(this.#server, deadline, {
      end: () => {
        for (const session of this.#sessions) session.close();
      },
      cutOff: () => {
        for (const connection of [...this.#sessions, ...this.#sockets]) connection.destroy();
      },
    });
  }
}

const HANDSHAKE_MS = 10_000;
/** Large enough for a message of a usual size, so that its sender need not wait for window updates. */
const WINDOW_BYTES = 1024 * 1024;
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
    settings: { maxConcurrentStreams: max_concurrent_streams, initialWindowSize: WINDOW_BYTES, enablePush: false },
    // In megabytes. With less, Node resets calls that the limits allow, and their data is lost.
    maxSessionMemory: Math.min(SPARE_MB + max_concurrent_streams * max_recv_msg_size_mib * 1.05, 2 ** 32 - 1),
  };
}

function keepWhileOpen<T extends Socket | ServerHttp2Session>(open: Set<T>, connection: T): void {
  open.add(connection);
  connection.once('close', () => open.delete(connection));
}
