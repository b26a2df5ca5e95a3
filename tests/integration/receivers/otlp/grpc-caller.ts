import { connect, type ClientHttp2Session, type ClientHttp2Stream, type SecureClientSessionOptions } from 'node:http2';

const PATH = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

export interface CallOptions {
  readonly headers?: Record<string, string>;
  readonly flag?: number;
  /** The claimed length of the message, if it differs from the real one. */
  readonly length?: number;
}

/** The answer to a call. `status` is that of gRPC; undefined if missing. */
export interface GrpcAnswer {
  readonly http: number | undefined;
  readonly status: number | undefined;
  readonly message: string;
  readonly headers: Record<string, unknown>;
}

/** A client of gRPC's wire format, which can also break it. */
export class GrpcCaller implements Disposable {
  readonly session: ClientHttp2Session;
  /** The codes of the GOAWAY frames. */
  readonly farewells: number[] = [];
  readonly closed: Promise<void>;

  constructor(endpoint: string, options: SecureClientSessionOptions = {}) {
    const scheme = options.ca === undefined ? 'http' : 'https';
    // It limits what it has not sent yet, too.
    this.session = connect(`${scheme}://${endpoint}`, { maxSessionMemory: 1000, ...options });
    this.session.on('error', () => undefined);
    this.closed = new Promise((resolve) => this.session.once('close', resolve));
    this.session.on('goaway', (code) => this.farewells.push(code));
  }

  /** A call that has begun; nothing of its message is sent. */
  begin(headers: Record<string, string> = {}): Call {
    const sent = { ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc', te: 'trailers', ...headers };
    return new Call(this.session.request(sent));
  }

  call(message: Uint8Array, { headers, ...frame }: CallOptions = {}): Promise<GrpcAnswer> {
    const call = this.begin(headers);
    call.stream.end(framed(message, frame));
    return call.answer;
  }

  [Symbol.dispose](): void {
    this.session.destroy();
  }
}

export class Call {
  readonly stream: ClientHttp2Stream;
  readonly answer: Promise<GrpcAnswer>;

  constructor(stream: ClientHttp2Stream) {
    this.stream = stream;
    const headers: Record<string, unknown> = {};
    stream.on('response', (received) => Object.assign(headers, received));
    stream.on('trailers', (received) => Object.assign(headers, received));
    stream.on('error', () => undefined);
    stream.resume();
    this.answer = new Promise((resolve) => stream.once('close', () => resolve(answerOf(headers))));
  }
}

/** A message behind its prefix. */
export function framed(message: Uint8Array, { flag = 0, length = message.length }: CallOptions = {}): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(flag);
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

function answerOf(headers: Record<string, unknown>): GrpcAnswer {
  const { 'grpc-status': status, 'grpc-message': message = '' } = headers as Record<string, string | undefined>;
  return {
    http: headers[':status'] as number | undefined,
    status: status === undefined ? undefined : Number(status),
    message: decodeURIComponent(message),
    headers,
  };
}
