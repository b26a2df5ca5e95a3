import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Authenticator } from '../../../../engine/authenticator.ts';
import type { ComponentSettings, Host, Signal } from '../../../../engine/component.ts';
import { reportIdleKeys } from '../../../../engine/net/idle-keys.ts';
import { decompressorsOf, type Decompress } from '../codings/decompress.ts';
import { idleGrpcKeys, type GrpcConfig } from '../config.ts';
import type { RequestIntake } from '../request-intake.ts';
import { Rejection, rejectUnauthenticated, RpcCode, type SizeLimit } from '../rejection.ts';
import { accept, refuse, refuseForeign } from './answer.ts';
import { receiveMessage } from './message.ts';
import { GrpcServer } from './server.ts';

const SERVICES: Readonly<Record<Signal, string>> = {
  traces: 'opentelemetry.proto.collector.trace.v1.TraceService',
  metrics: 'opentelemetry.proto.collector.metrics.v1.MetricsService',
  logs: 'opentelemetry.proto.collector.logs.v1.LogsService',
};

/** The encodings of the stock receiver, and gRPC's own `deflate`. gRPC's snappy is framed. */
const DECOMPRESSORS = decompressorsOf(['', 'gzip', 'deflate', 'snappy', 'zstd']);
const ENCODINGS = [...DECOMPRESSORS.keys()].filter((name) => name !== '').join(',');

/** OTLP over gRPC. Messages are passed on as bytes. https://opentelemetry.io/docs/specs/otlp/#otlpgrpc */
export class GrpcTransport {
  readonly #settings: ComponentSettings;
  readonly #config: GrpcConfig;
  readonly #intake: RequestIntake;
  readonly #signals: ReadonlyMap<string, Signal>;
  readonly #limit: SizeLimit;
  #authenticator: Authenticator | undefined;
  #server: GrpcServer | undefined;

  constructor(settings: ComponentSettings, config: GrpcConfig, intake: RequestIntake) {
    this.#settings = settings;
    this.#config = config;
    this.#intake = intake;
    this.#signals = new Map([...settings.signals].map((signal) => [`/${SERVICES[signal]}/Export`, signal]));
    this.#limit = { maxBytes: config.max_recv_msg_size_mib * 1024 * 1024, key: 'max_recv_msg_size_mib' };
  }

  async start(host: Host): Promise<void> {
    const { logger } = this.#settings;
    reportIdleKeys(logger, idleGrpcKeys(this.#config));
    const { auth } = this.#config;
    this.#authenticator = auth && host.extension(auth.authenticator);
    this.#server = await GrpcServer.start(this.#config, (stream, headers) => this.#serve(stream, headers), logger);
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.stop(deadline);
  }

  #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    // Every stream error also closes the stream, which is handled.
    stream.on('error', () => undefined);
    this.#answer(stream, headers).catch(() => stream.destroy());
  }

  async #answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    const status = foreignStatus(headers);
    if (status !== undefined) {
      this.#intake.count(status === 405 ? 'method' : 'media_type');
      return refuseForeign(stream, status);
    }
    try {
      await this.#take(stream, headers);
      accept(stream, ENCODINGS);
    } catch (error) {
      refuse(stream, this.#intake.reject(error), ENCODINGS);
    }
  }

  /** Authenticates and checks the headers before reading the message. */
  async #take(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    if (this.#authenticator !== undefined && !(await admits(this.#authenticator, headers)))
      throw rejectUnauthenticated();
    const signal = this.#signalAt(headers[':path']);
    const decompress = decompressorOf(headers['grpc-encoding']);
    const { bytes, isCompressed } = await receiveMessage(stream, { size: this.#limit, timeoutMs: timeoutOf(headers) });
    await this.#intake.take(signal, isCompressed ? await restore(bytes, decompress, this.#limit) : bytes);
  }

  #signalAt(path = ''): Signal {
    const signal = this.#signals.get(path);
    if (signal !== undefined) return signal;
    const [, service = '', method = ''] = path.slice(0, MAX_NAME).split('/');
    const isKnown = [...this.#signals.values()].some((one) => SERVICES[one] === service);
    const message = isKnown ? `unknown method ${method} for service ${service}` : `unknown service ${service}`;
    throw new Rejection('not_found', RpcCode.unimplemented, { message });
  }
}

/** How much of an unknown name appears in the answer. */
const MAX_NAME = 200;

/** The HTTP status for a request that is not gRPC; undefined for a call. */
function foreignStatus({ ':method': method, 'content-type': type = '' }: IncomingHttpHeaders): number | undefined {
  if (method !== 'POST') return 405;
  return /^application\/grpc(?:[+;]|$)/i.test(type) ? undefined : 415;
}

async function admits(authenticator: Authenticator, headers: IncomingHttpHeaders): Promise<boolean> {
  return await authenticator.authenticate((name) => headers[name]?.toString());
}

function decompressorOf(encoding: string | string[] = ''): Decompress | undefined {
  const name = encoding.toString();
  if (DECOMPRESSORS.has(name)) return DECOMPRESSORS.get(name);
  throw new Rejection('unsupported_encoding', RpcCode.unimplemented, {
    message: `unsupported grpc-encoding: ${name.slice(0, 40)}; use ${ENCODINGS}`,
  });
}

function restore(
  bytes: Uint8Array,
  decompress: Decompress | undefined,
  limit: SizeLimit,
): Uint8Array | Promise<Uint8Array> {
  if (decompress !== undefined) return decompress(bytes, limit);
  throw new Rejection('malformed', RpcCode.internal, {
    message: 'the message is marked as compressed, but there is no grpc-encoding',
  });
}

const UNITS_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };
/** Like `read_timeout` of HTTP: a slow sender must not keep a call open forever. */
const MAX_RECEIVE_MS = 60_000;

/** How long the message may take: as long as its sender waits, with an upper limit. */
function timeoutOf({ 'grpc-timeout': timeout = '' }: IncomingHttpHeaders): number {
  const [, digits, unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(timeout.toString()) ?? [];
  return digits === undefined ? MAX_RECEIVE_MS : Math.min(Number(digits) * (UNITS_MS[unit] ?? 0), MAX_RECEIVE_MS);
}
