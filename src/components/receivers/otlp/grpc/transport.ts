import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Authenticator } from '../../../../engine/authenticator.ts';
import type { ComponentSettings, Host, PartialSuccess, Signal } from '../../../../engine/component.ts';
import { headBytes } from '../../../../engine/net/header-memory.ts';
import { reportIdleKeys } from '../../../../engine/net/idle-keys.ts';
import type { Endpoint } from '../../../../engine/schema/fields.ts';
import { decompressorsOf, type Decompress, type Expansion } from '../codings/decompress.ts';
import { idleGrpcKeys, type GrpcConfig } from '../config.ts';
import type { BodyBudget, BodyLease } from '../body-budget.ts';
import type { RequestIntake, Shared } from '../request-intake.ts';
import { Rejection, rejectUnauthenticated, RpcCode, type SizeLimit } from '../rejection.ts';
import { accept, refuse, refuseForeign } from './answer.ts';
import { receiveMessage, type Message } from './message.ts';
import { WrongPort } from '../wrong-port.ts';
import { GrpcServer, type CallHead, type ServeCall } from './server.ts';

const SERVICES: Readonly<Record<Signal, string>> = {
  traces: 'opentelemetry.proto.collector.trace.v1.TraceService',
  metrics: 'opentelemetry.proto.collector.metrics.v1.MetricsService',
  logs: 'opentelemetry.proto.collector.logs.v1.LogsService',
};

const SIGNALS = new Map(Object.entries(SERVICES).map(([signal, service]) => [service, signal as Signal]));

/** The encodings of the stock receiver, and gRPC's own `deflate`. gRPC's snappy is framed. */
const DECOMPRESSORS = decompressorsOf(['', 'gzip', 'deflate', 'snappy', 'zstd']);
const ENCODINGS = [...DECOMPRESSORS.keys()].filter((name) => name !== '').join(',');

/** The memory of a call without its headers and message. */
const CALL_BYTES = 16 * 1024;

/** OTLP over gRPC. Messages are passed on as bytes. https://opentelemetry.io/docs/specs/otlp/#otlpgrpc */
export class GrpcTransport {
  readonly #settings: ComponentSettings;
  readonly #config: GrpcConfig;
  readonly #intake: RequestIntake;
  readonly #wrongPort: WrongPort;
  /** A reload of the configuration changes it. */
  readonly #inUse: ReadonlySet<Signal>;
  readonly #limit: SizeLimit;
  readonly #budget: BodyBudget;
  #authenticator: Authenticator | undefined;
  #server: GrpcServer | undefined;

  /** @param http the endpoint for HTTP, for the log. */
  constructor(settings: ComponentSettings, config: GrpcConfig, { intake, budget }: Shared, http?: Endpoint) {
    this.#settings = settings;
    this.#config = config;
    this.#intake = intake;
    this.#budget = budget;
    this.#wrongPort = new WrongPort(settings.logger, http);
    this.#inUse = settings.signals;
    this.#limit = { maxBytes: config.max_recv_msg_size_mib * 1024 * 1024, key: 'max_recv_msg_size_mib' };
  }

  async start(host: Host): Promise<void> {
    const { logger } = this.#settings;
    reportIdleKeys(logger, idleGrpcKeys(this.#config));
    const { auth } = this.#config;
    this.#authenticator = auth && host.extension(auth.authenticator);
    const serve: ServeCall = (stream, head) => this.#serve(stream, head);
    const noticeHttp1 = (): void => this.#wrongPort.usesHttp1(this.#config.endpoint);
    const { handover } = host;
    this.#server = await GrpcServer.start(this.#config, { serve, noticeHttp1 }, { logger, handover });
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.stop(deadline);
  }

  #serve(stream: ServerHttp2Stream, head: CallHead): void {
    this.#answer(stream, head).catch(() => stream.destroy());
  }

  async #answer(stream: ServerHttp2Stream, head: CallHead): Promise<void> {
    const status = foreignStatus(head.headers);
    if (status !== undefined) {
      this.#intake.count(status === 405 ? 'method' : 'media_type');
      return refuseForeign(stream, status);
    }
    try {
      const partial = await this.#take(stream, head);
      accept(stream, partial, ENCODINGS);
    } catch (error) {
      refuse(stream, this.#intake.reject(error), ENCODINGS);
    }
  }

  async #take(stream: ServerHttp2Stream, { headers, rawHeaders }: CallHead): Promise<PartialSuccess | undefined> {
    const { promise: isCutOff, reject } = Promise.withResolvers<never>();
    const lease = this.#budget.open({ cutOff: reject });
    try {
      lease.add(CALL_BYTES + headBytes({ rawHeaders }));
      if (!lease.isHeld) return await isCutOff;
      stream.once('close', () => lease.abort());
      // Node keeps data that is not read, so the message is read, and counted, from the start.
      const message = receiveMessage(stream, { size: this.#limit, timeoutMs: timeoutOf(headers), lease });
      message.catch(() => undefined);
      return await Promise.race([this.#accept(message, headers, { lease, owner: stream.session ?? stream }), isCutOff]);
    } finally {
      lease.release();
    }
  }

  /** Authenticates and checks the headers before it waits for the message. */
  async #accept(
    message: Promise<Message>,
    headers: IncomingHttpHeaders,
    { lease, owner }: { readonly lease: BodyLease; readonly owner: object },
  ): Promise<PartialSuccess | undefined> {
    if (this.#authenticator !== undefined && !(await admits(this.#authenticator, headers)))
      throw rejectUnauthenticated();
    const signal = this.#signalAt(headers[':path']);
    const decompress = decompressorOf(headers['grpc-encoding']);
    const { bytes, isCompressed } = await message;
    lease.arrived();
    if (!isCompressed) return await this.#intake.take(signal, bytes);
    const restored = await restore(bytes, decompress, { limit: this.#limit, owner, lease });
    lease.expanded(restored.length);
    return await this.#intake.take(signal, restored);
  }

  #signalAt(path = ''): Signal {
    const [, service = '', method = ''] = path.slice(0, MAX_NAME).split('/');
    const signal = SIGNALS.get(service);
    const isInUse = signal !== undefined && this.#inUse.has(signal);
    if (isInUse && path === `/${service}/Export`) return signal;
    const message = isInUse ? `unknown method ${method} for service ${service}` : `unknown service ${service}`;
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
  { limit, ...expansion }: Expansion & { readonly limit: SizeLimit },
): Uint8Array | Promise<Uint8Array> {
  if (decompress !== undefined) return decompress(bytes, limit, expansion);
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
