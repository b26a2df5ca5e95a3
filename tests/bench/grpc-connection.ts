import { once } from 'node:events';
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';

const HEADERS = {
  ':method': 'POST',
  ':path': '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  'content-type': 'application/grpc',
  te: 'trailers',
};
const PREFIX_BYTES = 5;

/** A gRPC connection that makes one call at a time. */
export class GrpcConnection {
  readonly #session: ClientHttp2Session;

  private constructor(session: ClientHttp2Session) {
    this.#session = session;
  }

  static async open(port: number): Promise<GrpcConnection> {
    const session = connect(`http://127.0.0.1:${port}`);
    await once(session, 'connect');
    return new GrpcConnection(session);
  }

  /** Resolves when the target has accepted every point. The caller can reuse the buffer afterwards. */
  post(message: Buffer): Promise<void> {
    const stream = this.#session.request(HEADERS);
    const prefix = Buffer.alloc(PREFIX_BYTES);
    prefix.writeUInt32BE(message.length, 1);
    stream.cork();
    stream.write(prefix);
    stream.end(message);
    stream.uncork();
    return accepted(stream);
  }

  close(): void {
    this.#session.destroy();
  }
}

function accepted(stream: ClientHttp2Stream): Promise<void> {
  return new Promise((resolve, reject) => {
    let status: unknown;
    const note = (headers: Record<string, unknown>): void => void (status = headers['grpc-status'] ?? status);
    stream.on('response', note);
    stream.on('trailers', note);
    stream.on('error', reject);
    stream.on('close', () =>
      status === '0' ? resolve() : reject(new Error(`the target refused points: ${String(status)}`)),
    );
    stream.resume();
  });
}
