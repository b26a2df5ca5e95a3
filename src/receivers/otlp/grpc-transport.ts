import type {
  Metadata,
  Server,
  ServerCredentials,
  ServerInterceptor,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { ComponentSettings, Signal } from '../../collector/component.ts';
import { formatEndpoint } from '../../collector/net/http-server.ts';
import type { GrpcConfig } from './config.ts';
import type { Intake } from './intake.ts';
import { encodeStatus, Rejection, RpcCode } from './rejection.ts';
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
  #server: Server | undefined;

  constructor(settings: ComponentSettings, config: GrpcConfig, intake: Intake) {
    this.#settings = settings;
    this.#config = config;
    this.#intake = intake;
  }

  async start(): Promise<void> {
    const grpc = await import('@grpc/grpc-js');
    // It writes text to stderr, among our JSON, about what it also rejects or answers.
    grpc.setLogVerbosity(grpc.logVerbosity.NONE);
    const server = new grpc.Server({
      'grpc.max_receive_message_length': this.#config.max_recv_msg_size_mib * 1024 * 1024,
      interceptors: [this.#countUnread(grpc)],
    });
    for (const signal of SIGNALS) server.addService(...this.#service(signal, grpc.Metadata));
    const port = await bind(server, bindAddress(this.#config), await this.#credentials(grpc));
    this.#server = server;
    const endpoint = formatEndpoint({ host: this.#config.endpoint.host || '::', port });
    this.#settings.logger.info({ endpoint, transport: 'grpc' }, 'Listening');
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

  /** The library itself answers calls whose message is too large or cannot be decompressed, and tells nobody. */
  #countUnread(grpc: typeof import('@grpc/grpc-js')): ServerInterceptor {
    return (_method, call) => {
      let received = false;
      return new grpc.ServerInterceptingCall(call, {
        start: (next) =>
          next({
            onReceiveMessage: (message: unknown, pass: (message: unknown) => void) => {
              received = true;
              pass(message);
            },
            onCancel: () => {
              if (!received) this.#intake.count('not_received');
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
      const rejection = this.#intake.reject(error);
      metadata.set('grpc-status-details-bin', Buffer.from(encodeStatus(rejection)));
      callback({ code: rejection.code, details: rejection.message, metadata });
    }
  }
}

/** A service is there only for signals that have a pipeline. */
function rejectService(signal: Signal): Rejection {
  return new Rejection('not_found', RpcCode.unimplemented, { message: `unknown service ${SERVICES[signal]}` });
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
