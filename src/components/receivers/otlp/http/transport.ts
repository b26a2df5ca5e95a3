import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { RejectionReason } from '../../../../metrics/reasons.ts';
import type { ComponentSettings, Host, Signal } from '../../../../engine/component.ts';
import { GuardedServer } from '../../../../engine/net/guarded-server.ts';
import { reportIdleKeys } from '../../../../engine/net/idle-keys.ts';
import { protobufFromJson } from '../../../../engine/otlp/protobuf-from-json.ts';
import { decompressorsOf } from '../codings/decompress.ts';
import { idleHttpKeys, type HttpConfig } from '../config.ts';
import type { RequestIntake } from '../request-intake.ts';
import { encodeStatus, rejectUnauthenticated, RpcCode, type Rejection } from '../rejection.ts';
import { readBody, type BodyLimits } from './request-body.ts';

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
  readonly #limits: BodyLimits;
  readonly #server: GuardedServer;

  constructor(settings: ComponentSettings, config: HttpConfig, intake: RequestIntake) {
    this.#logger = settings.logger;
    this.#config = config;
    this.#intake = intake;
    this.#signals = signalPaths(settings, config);
    this.#limits = {
      size: { maxBytes: config.max_request_body_size, key: 'max_request_body_size' },
      decompressors: decompressorsOf(config.compression_algorithms),
    };
    this.#server = new GuardedServer(config, settings.logger);
  }

  async start(host: Host): Promise<void> {
    reportIdleKeys(this.#logger, idleHttpKeys(this.#config));
    const serve = (request: IncomingMessage, response: ServerResponse): Promise<void> =>
      this.#handle(request, response);
    const refuse = (request: IncomingMessage, response: ServerResponse): void => this.#challenge(request, response);
    await this.#server.start(host, { serve, refuse }, 'http');
  }

  shutdown(deadline: AbortSignal): Promise<void> {
    return this.#server.stop(deadline);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const signal = this.#signals.get(pathOf(request));
    if (signal === undefined) return this.#refuse(response, 404, 'not_found', '404 page not found');
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
    try {
      const body = await readBody(request, this.#limits);
      await this.#intake.take(signal, mediaType === PROTOBUF ? body : protobufFromJson(signal, body));
      this.#send(response, 200, mediaType, mediaType === PROTOBUF ? '' : '{}');
    } catch (error) {
      this.#reject(request, response, { error, mediaType });
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
    // Node reads the rest of a refused body, so that the connection can be reused. Here the rest is too large.
    if (rejection.code === RpcCode.resourceExhausted && !request.complete) response.setHeader('Connection', 'close');
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

function signalPaths({ signals }: ComponentSettings, config: HttpConfig): ReadonlyMap<string, Signal> {
  const paths: Readonly<Record<Signal, string>> = {
    traces: config.traces_url_path,
    metrics: config.metrics_url_path,
    logs: config.logs_url_path,
  };
  return new Map([...signals].map((signal) => [paths[signal], signal]));
}

function pathOf({ url = '' }: IncomingMessage): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}

function mediaTypeOf({ headers }: IncomingMessage): MediaType | undefined {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  return type === PROTOBUF || type === JSON_TYPE ? type : undefined;
}

function statusBody(rejection: Rejection, mediaType: MediaType): string | Uint8Array {
  if (mediaType === PROTOBUF) return encodeStatus(rejection);
  return JSON.stringify({ code: rejection.code, message: rejection.message });
}
