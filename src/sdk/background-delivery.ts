/** Delivers encoded telemetry in the background and never keeps the process alive. */
import type { Agent, ClientRequest } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';
import { diag } from '@opentelemetry/api';
import type { convertLegacyHttpOptions } from '@opentelemetry/otlp-exporter-base/node-http';
import { isHandedOver, postInBackground, type PostOutcome } from './background-post.ts';
import type { LastRequest } from './last-delivery.ts';
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
  readonly settled: PromiseWithResolvers<void>;
  /** The attempt that waits for its answer. */
  request?: ClientRequest;
}

export interface DeliveryOptions {
  /** How many exports are posted at the same time. With 1, a retried export never overtakes a later one. */
  readonly parallel: number;
  /** Shared by the deliveries of a process. */
  readonly unreached: UnreachedEndpoints;
}

/**
 * A short queue of exports. It does not keep the event loop alive, while the exporters of the SDK do for up to ten seconds
 * while they retry. A program that has finished ends. Await {@link flush} to wait for the delivery, and send
 * {@link unsent} if the process cannot wait.
 */
export class BackgroundDelivery {
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

  constructor(destination: Destination, { parallel, unreached }: DeliveryOptions) {
    this.#destination = destination;
    this.#parallel = parallel;
    this.#unreached = unreached;
    this.#connecting = this.#connect();
  }

  /** Returns false if the queue is full; the body is then dropped. */
  enqueue(body: Uint8Array): boolean {
    if (this.#waiting.length + this.#inFlight.size >= MAX_WAITING) return false;
    this.#waiting.push({ body, settled: Promise.withResolvers() });
    this.#deliverNext();
    return true;
  }

  /**
   * Tries everything taken so far once, without the waits between retries, and resolves when it is delivered or lost.
   * Does not reject.
   */
  async flush(): Promise<void> {
    this.#hurry.abort();
    await Promise.all([...this.#inFlight, ...this.#waiting].map(async ({ settled }) => await settled.promise));
    this.#hurry = new AbortController();
  }

  /** The exports that end with the process: they wait, or the operating system does not have the whole request. */
  unsent(): LastRequest[] {
    const cutOff = [...this.#inFlight].filter(({ request }) => request === undefined || !isHandedOver(request));
    return [...cutOff, ...this.#waiting].map(({ body }) => this.#lastRequest(body));
  }

  #lastRequest(body: Uint8Array): LastRequest {
    const { url, compression } = this.#destination;
    const { agent, headers = PROTOBUF } = this.#connection ?? {};
    const { ca, cert, key } = (agent as HttpsAgent | undefined)?.options ?? {};
    return { url, headers, body: compression === 'gzip' ? gzipSync(body) : body, tls: { ca, cert, key } };
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
    next.settled.resolve();
    this.#deliverNext();
  }

  #reportLoss(problem: string): void {
    if (this.#lostExports === 0) {
      diag.warn(`siphon: an OTLP export is lost, and so are those until the next line: ${problem}`);
    }
    this.#lostExports++;
  }

  /** Retries as OTLP prescribes, until the timeout of the whole export. */
  async #postUntilTaken(next: Export): Promise<void> {
    const encoded = this.#destination.compression === 'gzip' ? await compress(next.body) : next.body;
    const deadlineMs = performance.now() + this.#destination.timeoutMillis;
    for (let backoffMs = FIRST_BACKOFF_MS; ; backoffMs = Math.min(backoffMs * 1.5, MAX_BACKOFF_MS)) {
      const { signal } = this.#hurry;
      const isLastAttempt = signal.aborted;
      const { problem, retryable, retryAfterMs } = await this.#post(next, encoded, deadlineMs - performance.now());
      if (problem === undefined) return this.#unreached.reached(this.#destination.url);
      this.#unreached.failed(this.#destination.url, problemOf(problem));
      const waitMs = retryAfterMs ?? backoffMs * (0.8 + 0.4 * Math.random());
      if (isLastAttempt || !retryable || performance.now() + waitMs > deadlineMs) throw problem;
      await sleep(waitMs, undefined, { ref: false, signal }).catch(tryAtOnce);
    }
  }

  async #post(next: Export, body: Uint8Array, timeoutMs: number): Promise<PostOutcome> {
    const { agent, headers } = await this.#connecting;
    // Unlike the timeout of the request, this one ends the whole request, and its timer does not keep the process alive.
    const signal = AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs)));
    const options = { agent, headers, signal };
    const outcome = await postInBackground(this.#destination.url, body, options, (request) => (next.request = request));
    delete next.request;
    return outcome;
  }
}

/** One line without a stack. The error of several addresses has a code and no message. */
function problemOf(error: unknown): string {
  const { message = '', code } = error as { readonly message?: string; readonly code?: string };
  return (message || code || 'unknown error').replaceAll(/\s+/g, ' ');
}

/** A flush ended the wait early. */
function tryAtOnce(): void {
  return;
}
