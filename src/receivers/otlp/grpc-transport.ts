import type {
  Metadata,
  Server,
  ServerCredentials,
  ServerInterceptor,
  ServerOptions,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { authenticatorOf, type Authenticator } from '../../collector/authenticator.ts';
import type { ComponentSettings, Host, Signal } from '../../collector/component.ts';
import { announce } from '../../collector/net/announce.ts';
import { reportIdleKeys } from '../../collector/net/idle-keys.ts';
import { formatEndpoint } from '../../collector/net/http-server.ts';
import { idleGrpcKeys, type GrpcConfig, type KeepaliveConfig } from './config.ts';
import type { Intake } from './intake.ts';
import { encodeStatus, Rejection, rejectUnauthenticated, RpcCode } from './rejection.ts';
import { readTlsFiles } from '../../collector/net/tls.ts';

const SIGNALS: readonly Signal[] = ['traces', 'metrics', 'logs'];

const SERVICES: Readonly<Record<Signal, string>> = {
  traces: 'opentelemetry.proto.collector.trace.v1.TraceService',
  metrics: 'opentelemetry.proto.collector.metrics.v1.MetricsService',
  logs: 'opentelemetry.proto.collector.logs.v1.LogsService',
};

/** An `Export<Signal>ServiceResponse` without anything to say. */
const TAKEN = Buffer.alloc(0);

/** OTLP over gRPC. Messages pass as bytes. https://opentelemetry.io/docs/specs/otlp/#otlpgrpc */
export class GrpcTransport {
  readonly #settings: ComponentSettings;
  readonly #config: GrpcConfig;
  readonly #intake: Intake;
  #authenticator: Authenticator | undefined;
  #server: Server | undefined;

  constructor(settings: ComponentSettings, config: GrpcConfig, intake: Intake) {
    this.#settings = settings;
    this.#config = config;
    this.#intake = intake;
  }

  async start(host: Host): Promise<void> {
    const { auth, tls, endpoint } = this.#config;
    reportIdleKeys(this.#settings.logger, idleGrpcKeys(this.#config));
    this.#authenticator = authenticatorOf(host, auth);
    const grpc = await import('@grpc/grpc-js');
    // It writes text to stderr, among our JSON, about what it also rejects or answers.
    grpc.setLogVerbosity(grpc.logVerbosity.NONE);
    const server = new grpc.Server({
      'grpc.max_receive_message_length': this.#config.max_recv_msg_size_mib * 1024 * 1024,
      ...connectionOptions(this.#config),
      interceptors: [this.#guard(grpc)],
    });
    for (const signal of SIGNALS) server.addService(...this.#service(signal, grpc.Metadata));
    const port = await bind(server, bindAddress(this.#config), await this.#credentials(grpc));
    this.#server = server;
    const isGuarded = tls !== undefined || auth !== undefined;
    announce(this.#settings.logger, { endpoint: { host: endpoint.host || '::', port }, transport: 'grpc', isGuarded });
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const cutOff = (): void => server.forceShutdown();
    const closed = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
    if (deadline.aborted) cutOff();
    else deadline.addEventListener('abort', cutOff, { once: true });
    await closed;
    deadline.removeEventListener('abort', cutOff);
  }

  #service(signal: Signal, MetadataClass: typeof Metadata): [ServiceDefinition, UntypedServiceImplementation] {
    const definition = { export: { path: `/${SERVICES[signal]}/Export`, ...BYTES } };
    const implementation: UntypedServiceImplementation = {
      export: (call: { readonly request: Buffer }, callback: Callback) => {
        void this.#answer(signal, call.request, { callback, metadata: new MetadataClass() });
      },
    };
    return [definition, implementation];
  }

  async #credentials({ ServerCredentials }: typeof import('@grpc/grpc-js')): Promise<ServerCredentials> {
    if (this.#config.tls === undefined) return ServerCredentials.createInsecure();
    const { cert, key, clientCa } = await readTlsFiles(this.#config.tls);
    return ServerCredentials.createSsl(
      clientCa ?? null,
      [{ cert_chain: cert, private_key: key }],
      clientCa !== undefined,
    );
  }

  /**
   * Refuses calls without the right credentials before anything of their message is read, and counts those that the
   * library answers by itself, telling nobody: whose message is too large or cannot be decompressed.
   */
  #guard(grpc: typeof import('@grpc/grpc-js')): ServerInterceptor {
    return (_method, call) => {
      let counted = false;
      return new grpc.ServerInterceptingCall(call, {
        start: (next) =>
          next({
            onReceiveMetadata: (metadata, pass) => {
              void this.#admits(metadata).then((admitted) => {
                if (admitted) return pass(metadata);
                counted = true;
                const { details, metadata: trailers } = this.#refusal(rejectUnauthenticated(), new grpc.Metadata());
                return call.sendStatus({ code: grpc.status.UNAUTHENTICATED, details, metadata: trailers });
              });
            },
            onReceiveMessage: (message: unknown, pass: (message: unknown) => void) => {
              counted = true;
              pass(message);
            },
            onCancel: () => {
              if (!counted) this.#intake.count('not_received');
            },
          }),
      });
    };
  }

  async #answer(
    signal: Signal,
    request: Buffer,
    { callback, metadata }: { callback: Callback; metadata: Metadata },
  ): Promise<void> {
    try {
      if (!this.#settings.signals.has(signal)) throw rejectService(signal);
      await this.#intake.take(signal, request);
      callback(null, TAKEN);
    } catch (error) {
      callback(this.#refusal(error, metadata));
    }
  }

  async #admits(metadata: Metadata): Promise<boolean> {
    return (await this.#authenticator?.authenticate((name) => onlyValue(metadata, name))) ?? true;
  }

  #refusal(error: unknown, metadata: Metadata): { code: RpcCode; details: string; metadata: Metadata } {
    const rejection = this.#intake.reject(error);
    metadata.set('grpc-status-details-bin', Buffer.from(encodeStatus(rejection)));
    return { code: rejection.code, details: rejection.message, metadata };
  }
}

/** A service is there only for signals that have a pipeline. */
function rejectService(signal: Signal): Rejection {
  return new Rejection('not_found', RpcCode.unimplemented, { message: `unknown service ${SERVICES[signal]}` });
}

/** Of two values nobody knows which one is meant. */
function onlyValue(metadata: Metadata, name: string): string | undefined {
  const [value, ...others] = metadata.get(name);
  return others.length === 0 ? value?.toString() : undefined;
}

function connectionOptions({ max_concurrent_streams, keepalive }: GrpcConfig): ServerOptions {
  const streams = max_concurrent_streams === undefined ? {} : { 'grpc.max_concurrent_streams': max_concurrent_streams };
  return { ...streams, ...keepaliveOptions(keepalive) };
}

function keepaliveOptions({ server_parameters: keys }: KeepaliveConfig): ServerOptions {
  const options = {
    'grpc.max_connection_idle_ms': keys.max_connection_idle,
    'grpc.max_connection_age_ms': keys.max_connection_age,
    'grpc.max_connection_age_grace_ms': keys.max_connection_age_grace,
    'grpc.keepalive_time_ms': keys.time,
    'grpc.keepalive_timeout_ms': keys.timeout,
  };
  return Object.fromEntries(Object.entries(options).filter(([, ms]) => ms > 0));
}

type Callback = (error: object | null, response?: Buffer) => void;

const same = (bytes: Buffer): Buffer => bytes;

const BYTES = {
  requestStream: false,
  responseStream: false,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
} as const;

function bindAddress({ endpoint: { host, port } }: GrpcConfig): string {
  return formatEndpoint({ host: host === '' ? '::' : host, port });
}

function bind(server: Server, address: string, credentials: Parameters<Server['bindAsync']>[1]): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (cause, port) => {
      if (cause === null) resolve(port);
      else reject(new Error(`${address} cannot be bound: ${cause.message}`, { cause }));
    });
  });
}
