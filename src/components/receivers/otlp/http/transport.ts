import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { RejectionReason } from '../../../../metrics/reasons.ts';
import type { ComponentSettings, Host, Signal } from '../../../../engine/component.ts';
import type { RetryableError } from '../../../../engine/errors.ts';
import { SENDERS_SHARE } from '../../../../engine/net/connection-limit.ts';
import { GuardedServer, type Site } from '../../../../engine/net/guarded-server.ts';
import type { Endpoint } from '../../../../engine/schema/fields.ts';
import { pathOf } from '../../../../engine/net/request-path.ts';
import { reportIdleKeys } from '../../../../engine/net/idle-keys.ts';
import {
  maxProtobufBytes,
  ProtobufTooLargeError,
  protobufSteps,
} from '../../../../engine/otlp/json/protobuf-from-json.ts';
import { inSlices } from '../../../../engine/time-slice.ts';
import { acceptanceJson, encodeAcceptance } from '../acceptance.ts';
import { decompressorsOf } from '../codings/decompress.ts';
import { idleHttpKeys, spoolDirectory, type HttpConfig } from '../config.ts';
import type { BodyBudget, BodyFlow, BodyLease } from '../body-budget.ts';
import type { RequestIntake, Shared } from '../request-intake.ts';
import { encodeStatus, rejectTooLarge, rejectUnauthenticated, RpcCode, type Rejection } from '../rejection.ts';
import { WrongPort } from '../wrong-port.ts';
import { readBody, type BodyLimits } from './request-body.ts';
import { SpoolReader } from './spool-reader.ts';

const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';
type MediaType = typeof PROTOBUF | typeof JSON_TYPE;

const HTTP_STATUS: Readonly<Record<RpcCode, number>> = {
  [RpcCode.invalidArgument]: 400,
  [RpcCode.deadlineExceeded]: 504,
  [RpcCode.resourceExhausted]: 413,
  [RpcCode.unimplemented]: 404,
  [RpcCode.internal]: 500,
  [RpcCode.unavailable]: 503,
  [RpcCode.unauthenticated]: 401,
};

/** OTLP over HTTP. https://opentelemetry.io/docs/specs/otlp/#otlphttp */
export class HttpTransport {
  readonly #logger: Logger;
  readonly #config: HttpConfig;
  readonly #intake: RequestIntake;
  readonly #signals: ReadonlyMap<string, Signal>;
  /** A reload of the configuration changes it. */
  readonly #inUse: ReadonlySet<Signal>;
  readonly #limits: BodyLimits;
  readonly #server: GuardedServer;
  readonly #budget: BodyBudget;
  readonly #wrongPort: WrongPort;
  readonly #spool: SpoolReader | undefined;

  /** @param grpc the endpoint for gRPC, for the log. */
  constructor(settings: ComponentSettings, config: HttpConfig, { intake, budget }: Shared, grpc?: Endpoint) {
    this.#logger = settings.logger;
    this.#config = config;
    this.#intake = intake;
    this.#budget = budget;
    this.#signals = signalPaths(config);
    this.#inUse = settings.signals;
    this.#limits = {
      size: { maxBytes: config.max_request_body_size, key: 'max_request_body_size' },
      decompressors: decompressorsOf(config.compression_algorithms),
    };
    this.#server = new GuardedServer(config, settings.logger);
    this.#wrongPort = new WrongPort(settings.logger, grpc);
    const directory = spoolDirectory(config);
    const isNamed = config.spool_directory !== undefined;
    if (directory) this.#spool = new SpoolReader(settings, { directory, isNamed, intake, size: this.#limits.size });
  }

  async start(host: Host): Promise<void> {
    reportIdleKeys(this.#logger, idleHttpKeys(this.#config));
    const serve = (request: IncomingMessage, response: ServerResponse): Promise<void> =>
      this.#handle(request, response);
    const refuse = (request: IncomingMessage, response: ServerResponse): void => this.#challenge(request, response);
    const noticeHttp2 = (): void => this.#wrongPort.usesHttp2(this.#config.endpoint);
    const refuseBusy = (request: IncomingMessage, response: ServerResponse, error: RetryableError): void =>
      this.#reject(request, response, { error, mediaType: mediaTypeOf(request) ?? JSON_TYPE });
    const site: Site = { serve, refuse, refuseBusy, noticeHttp2 };
    const { port } = await this.#server.start(host, site, { transport: 'http', descriptorShare: SENDERS_SHARE });
    this.#spool?.start(port);
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    await Promise.all([this.#spool?.stop(), this.#server.stop(deadline)]);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const signal = this.#signals.get(pathOf(request));
    if (signal === undefined || !this.#inUse.has(signal))
      return this.#refuse(response, 404, 'not_found', '404 page not found');
    if (request.method !== 'POST') {
      response.setHeader('Allow', 'POST');
      return this.#refuse(response, 405, 'method', '405 method not allowed, supported: [POST]');
    }
    const mediaType = mediaTypeOf(request);
    if (mediaType === undefined) {
      const sentence = `415 unsupported media type, supported: [${JSON_TYPE}, ${PROTOBUF}]`;
      return this.#refuse(response, 415, 'media_type', sentence);
    }
    await this.#take(request, response, { signal, mediaType });
  }

  async #take(
    request: IncomingMessage,
    response: ServerResponse,
    { signal, mediaType }: { signal: Signal; mediaType: MediaType },
  ): Promise<void> {
    let held: BodyLease | undefined;
    const lease = (flow: BodyFlow): BodyLease => (held = this.#budget.open(flow));
    response.once('close', () => held?.abort());
    try {
      const body = await readBody(request, this.#limits, lease);
      const isProtobuf = mediaType === PROTOBUF;
      const partial = await this.#intake.take(signal, isProtobuf ? body : await this.#convert(signal, body, held));
      this.#send(response, 200, mediaType, isProtobuf ? encodeAcceptance(partial) : acceptanceJson(signal, partial));
    } catch (error) {
      this.#reject(request, response, { error, mediaType });
    } finally {
      held?.release();
    }
  }

  async #convert(signal: Signal, json: Uint8Array, lease: BodyLease | undefined): Promise<Uint8Array> {
    const { size } = this.#limits;
    await lease?.reserve(Math.min(size.maxBytes, maxProtobufBytes(json)));
    try {
      const converted = await inSlices(protobufSteps(signal, json, size.maxBytes));
      lease?.expanded(converted.length);
      return converted;
    } catch (error) {
      throw error instanceof ProtobufTooLargeError ? rejectTooLarge(size) : error;
    }
  }

  /** Runs before the body is read. */
  #challenge(request: IncomingMessage, response: ServerResponse): void {
    this.#reject(request, response, { error: rejectUnauthenticated(), mediaType: mediaTypeOf(request) ?? JSON_TYPE });
  }

  #reject(
    request: IncomingMessage,
    response: ServerResponse,
    { error, mediaType }: { error: unknown; mediaType: MediaType },
  ): void {
    const rejection = this.#intake.reject(error);
    // Node reads the rest of a refused body, so that the connection can be reused. Here the rest is too large or slow.
    const isLarge = rejection.code === RpcCode.resourceExhausted || rejection.reason === 'in_flight';
    if (isLarge && !request.complete) response.setHeader('Connection', 'close');
    if (rejection.retryAfterMs !== undefined) {
      response.setHeader('Retry-After', Math.max(1, Math.ceil(rejection.retryAfterMs / 1000)));
    }
    this.#send(response, HTTP_STATUS[rejection.code], mediaType, statusBody(rejection, mediaType));
  }

  /** Answers a request that is not OTLP in plain text. */
  #refuse(response: ServerResponse, status: number, reason: RejectionReason, sentence: string): void {
    this.#intake.count(reason);
    this.#send(response, status, 'text/plain', sentence);
  }

  #send(response: ServerResponse, status: number, contentType: string, body: string | Uint8Array): void {
    if (response.destroyed) return;
    if (this.#server.endsConnections) response.setHeader('Connection', 'close');
    response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) });
    response.end(body);
  }
}

function signalPaths(config: HttpConfig): ReadonlyMap<string, Signal> {
  return new Map([
    [config.traces_url_path, 'traces'],
    [config.metrics_url_path, 'metrics'],
    [config.logs_url_path, 'logs'],
  ]);
}

function mediaTypeOf({ headers }: IncomingMessage): MediaType | undefined {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  return type === PROTOBUF || type === JSON_TYPE ? type : undefined;
}

function statusBody(rejection: Rejection, mediaType: MediaType): string | Uint8Array {
  if (mediaType === PROTOBUF) return encodeStatus(rejection);
  return JSON.stringify({ code: rejection.code, message: rejection.message });
}
