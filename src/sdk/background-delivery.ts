/** Delivers encoded telemetry in the background and never keeps the process alive. */
import type { Agent, ClientRequest } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { diag } from '@opentelemetry/api';
import type { convertLegacyHttpOptions } from '@opentelemetry/otlp-exporter-base/node-http';
import { isHandedOver, postInBackground, type PostOutcome } from './background-post.ts';
import { isRefusal, type LastRequest, type Pending } from './last-delivery.ts';
import type { UnreachedEndpoints } from './unreached-endpoints.ts';

/** The values of `OTEL_EXPORTER_OTLP_*` for one signal: URL, headers, compression, certificates, timeout. */
export type Destination = ReturnType<typeof convertLegacyHttpOptions>;

/** Maximum number of exports that wait or are in flight. Each has at most `OTEL_BSP_MAX_EXPORT_BATCH_SIZE` spans, or all metrics. */
export const MAX_WAITING = 16;
const FIRST_BACKOFF_MS = 1000;
const MAX_BACKOFF_MS = 5000;

/** In the first turn of the event loop, before the headers of the environment are known. */
const PROTOBUF = { 'Content-Type': 'application/x-protobuf' };

const compress = promisify(gzip);

interface Connection {
  readonly agent: Agent;
  readonly headers: Record<string, string>;
}

interface Export {
  readonly body: Uint8Array;
  /** Resolved when it is delivered or lost, and when the attempt of a flush has failed. */
  tried: PromiseWithResolvers<void>;
  /** True from the beginning of a flush until its attempt has ended. */
  isFlushed: boolean;
  /** The attempt that waits for its answer. */
  request?: ClientRequest;
  /** When that began, on the clock of `performance.now()`. */
  postedAtMs: number;
}

export interface DeliveryOptions {
  readonly signal: LastRequest['signal'];
  /** How many exports are posted at the same time. With 1, a retried export never overtakes a later one. */
  readonly parallel: number;
  /** Shared by the deliveries of a process. */
  readonly unreached: UnreachedEndpoints;
}

/**
 * A short queue of exports. It does not keep the event loop alive, while the exporters of the SDK do for up to ten seconds
 * while they retry. A program that has finished ends. Await {@link flush} to wait for the delivery, and send
 * {@link pending} if the process cannot wait.
 */
export class BackgroundDelivery {
  readonly #signal: LastRequest['signal'];
  readonly #destination: Destination;
  readonly #parallel: number;
  readonly #unreached: UnreachedEndpoints;
  /** Oldest first. */
  readonly #waiting: Export[] = [];
  readonly #inFlight = new Set<Export>();
  readonly #connecting: Promise<Connection>;
  #connection: Connection | undefined;
  #hurry = new AbortController();
  #lostExports = 0;
  /** True if nothing listened at the last attempt. */
  #isRefused = false;

  constructor(destination: Destination, { signal, parallel, unreached }: DeliveryOptions) {
    this.#signal = signal;
    this.#destination = destination;
    this.#parallel = parallel;
    this.#unreached = unreached;
    this.#connecting = this.#connect();
  }

  /** Returns false if the queue is full; the body is then dropped. */
  enqueue(body: Uint8Array): boolean {
    if (this.#waiting.length + this.#inFlight.size >= MAX_WAITING) return false;
    this.#waiting.push({ body, tried: Promise.withResolvers(), isFlushed: false, postedAtMs: 0 });
    this.#deliverNext();
    return true;
  }

  /**
   * Tries everything taken so far immediately, without the waits between retries, and resolves when each export is delivered,
   * lost, or waits for a further retry. Does not reject.
   */
  async flush(): Promise<void> {
    const exports = [...this.#inFlight, ...this.#waiting];
    for (const one of exports) one.isFlushed = true;
    this.#hurry.abort();
    this.#hurry = new AbortController();
    await Promise.all(exports.map(async ({ tried }) => await tried.promise));
  }

  /** The exports that are not answered. */
  pending(): Pending {
    const nowMs = performance.now();
    const inFlight = [...this.#inFlight];
    const whole = inFlight.filter(({ request }) => request !== undefined && isHandedOver(request));
    const cutOff = inFlight.filter((one) => !whole.includes(one));
    return {
      unsent: [...cutOff, ...this.#waiting].map(({ body }) => this.#lastRequest(body)),
      unanswered: whole.map(({ body, postedAtMs }) => ({ ...this.#lastRequest(body), waitedMs: nowMs - postedAtMs })),
    };
  }

  #lastRequest(body: Uint8Array): LastRequest {
    const { url, compression } = this.#destination;
    const { agent, headers = PROTOBUF } = this.#connection ?? {};
    const { ca, cert, key } = (agent as HttpsAgent | undefined)?.options ?? {};
    const isRefused = this.#isRefused;
    return { signal: this.#signal, url, headers, body, compression, isRefused, tls: { ca, cert, key } };
  }

  async #connect(): Promise<Connection> {
    const { url, headers, compression, agentFactory } = this.#destination;
    const encoding = compression === 'gzip' ? { 'Content-Encoding': 'gzip' } : {};
    this.#connection = {
      agent: await agentFactory(new URL(url).protocol),
      headers: { ...(await headers()), ...encoding },
    };
    return this.#connection;
  }

  #deliverNext(): void {
    if (this.#inFlight.size >= this.#parallel) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#inFlight.add(next);
    void this.#deliver(next);
  }

  async #deliver(next: Export): Promise<void> {
    try {
      await this.#postUntilTaken(next);
      if (this.#lostExports > 0) diag.warn(`siphon: OTLP is taken again; exports lost meanwhile: ${this.#lostExports}`);
      this.#lostExports = 0;
    } catch (error) {
      this.#reportLoss(problemOf(error));
    }
    this.#inFlight.delete(next);
    next.tried.resolve();
    this.#deliverNext();
  }

  #reportLoss(problem: string): void {
    if (this.#lostExports === 0) {
      const { origin = 'the endpoint' } = URL.parse(this.#destination.url) ?? {};
      diag.warn(`siphon: an OTLP export to ${origin} is lost, and so are those until the next line: ${problem}`);
    }
    this.#lostExports++;
  }

  /** Retries as OTLP prescribes, until the timeout of the whole export. */
  async #postUntilTaken(next: Export): Promise<void> {
    const encoded = this.#destination.compression === 'gzip' ? await compress(next.body) : next.body;
    const deadlineMs = performance.now() + this.#destination.timeoutMillis;
    for (let backoffMs = FIRST_BACKOFF_MS; ; backoffMs = Math.min(backoffMs * 1.5, MAX_BACKOFF_MS)) {
      const { signal } = this.#hurry;
      const { isFlushed } = next;
      const { problem, retryable, retryAfterMs } = await this.#post(next, encoded, deadlineMs - performance.now());
      this.#isRefused = problem !== undefined && isRefusal(problem);
      if (problem === undefined) return this.#unreached.reached(this.#destination.url);
      this.#unreached.failed(this.#destination.url, problemOf(problem));
      const waitMs = retryAfterMs ?? backoffMs * (0.8 + 0.4 * Math.random());
      if (!retryable || performance.now() + waitMs > deadlineMs) throw problem;
      if (isFlushed) this.#endFlush(next);
      await sleep(waitMs, undefined, { ref: false, signal }).catch(tryAtOnce);
    }
  }

  /** The flush waits neither for the retries of the export nor for those that it holds up. */
  #endFlush(failed: Export): void {
    for (const one of [failed, ...this.#waiting].filter(({ isFlushed }) => isFlushed)) {
      one.isFlushed = false;
      one.tried.resolve();
      one.tried = Promise.withResolvers();
    }
  }

  async #post(next: Export, body: Uint8Array, timeoutMs: number): Promise<PostOutcome> {
    const { agent, headers } = await this.#connecting;
    // Unlike the timeout of the request, this one ends the whole request, and its timer does not keep the process alive.
    const signal = AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs)));
    const options = { agent, headers, signal };
    const outcome = await postInBackground(this.#destination.url, body, options, (request) => {
      Object.assign(next, { request, postedAtMs: performance.now() });
    });
    delete next.request;
    return outcome;
  }
}

/** One line without a stack. The error of several addresses has a code and no message. */
function problemOf(error: unknown): string {
  const { message = '', code } = error as { readonly message?: string; readonly code?: string };
  const text = (message || code || 'unknown error').replaceAll(/\s+/g, ' ');
  return code?.startsWith('HPE_') === true ? `${text}. ${NOT_HTTP}` : text;
}

/** A server of gRPC answers with a frame of HTTP/2. */
const NOT_HTTP = 'The port may be the one for OTLP over gRPC, usually 4317; OTLP over HTTP usually has 4318';

/** A flush ended the wait early. */
function tryAtOnce(): void {
  return;
}
