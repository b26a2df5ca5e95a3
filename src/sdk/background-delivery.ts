/** Delivers encoded telemetry in the background and never keeps the process alive. */
import type { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { diag } from '@opentelemetry/api';
import type { convertLegacyHttpOptions } from '@opentelemetry/otlp-exporter-base/node-http';
import { postInBackground, type PostOutcome } from './background-post.ts';

/** The values of `OTEL_EXPORTER_OTLP_*` for one signal: URL, headers, compression, certificates, timeout. */
export type Destination = ReturnType<typeof convertLegacyHttpOptions>;

/** Maximum number of queued exports. Each has at most `OTEL_BSP_MAX_EXPORT_BATCH_SIZE` spans, or all metrics. */
const MAX_WAITING = 16;
const FIRST_BACKOFF_MS = 1000;
const MAX_BACKOFF_MS = 5000;

const compress = promisify(gzip);

/**
 * A short queue of requests that are posted one after another, so that a retried export never overtakes a later one.
 * It does not keep the event loop alive, while the exporters of the SDK do for up to ten seconds while they retry. A
 * program that has finished ends. Await {@link flush} to wait for the delivery.
 */
export class BackgroundDelivery {
  readonly #destination: Destination;
  #agent: Agent | undefined;
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();
  #hurry = new AbortController();
  #lostExports = 0;

  constructor(destination: Destination) {
    this.#destination = destination;
  }

  /** Returns false if the queue is full; the body is then dropped. */
  enqueue(body: Uint8Array): boolean {
    if (this.#waiting >= MAX_WAITING) return false;
    this.#waiting++;
    this.#last = this.#deliverAfter(this.#last, body);
    return true;
  }

  /**
   * Tries everything taken so far once, without the waits between retries, and resolves when it is delivered or lost.
   * Does not reject.
   */
  async flush(): Promise<void> {
    this.#hurry.abort();
    await this.#last;
    this.#hurry = new AbortController();
  }

  async #deliverAfter(previous: Promise<void>, body: Uint8Array): Promise<void> {
    await previous;
    try {
      await this.#postUntilTaken(body);
      if (this.#lostExports > 0) diag.warn(`siphon: OTLP is taken again; exports lost meanwhile: ${this.#lostExports}`);
      this.#lostExports = 0;
    } catch (error) {
      if (this.#lostExports === 0)
        diag.warn('siphon: an OTLP export is lost, and so are those until the next line', error);
      this.#lostExports++;
    }
    this.#waiting--;
  }

  /** Retries as OTLP prescribes, until the timeout of the whole export. */
  async #postUntilTaken(body: Uint8Array): Promise<void> {
    const encoded = this.#destination.compression === 'gzip' ? await compress(body) : body;
    const deadlineMs = performance.now() + this.#destination.timeoutMillis;
    for (let backoffMs = FIRST_BACKOFF_MS; ; backoffMs = Math.min(backoffMs * 1.5, MAX_BACKOFF_MS)) {
      const { signal } = this.#hurry;
      const isLastAttempt = signal.aborted;
      const { problem, retryable, retryAfterMs } = await this.#post(encoded, deadlineMs - performance.now());
      if (problem === undefined) return;
      const waitMs = retryAfterMs ?? backoffMs * (0.8 + 0.4 * Math.random());
      if (isLastAttempt || !retryable || performance.now() + waitMs > deadlineMs) throw problem;
      await sleep(waitMs, undefined, { ref: false, signal }).catch(tryAtOnce);
    }
  }

  async #post(body: Uint8Array, timeoutMs: number): Promise<PostOutcome> {
    const { url, compression, headers, agentFactory } = this.#destination;
    this.#agent ??= await agentFactory(new URL(url).protocol);
    const encoding = compression === 'gzip' ? { 'Content-Encoding': 'gzip' } : {};
    return await postInBackground(url, body, {
      agent: this.#agent,
      headers: { ...(await headers()), ...encoding },
      // Unlike the timeout of the request, this one ends the whole request, and its timer does not keep the process alive.
      signal: AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs))),
    });
  }
}

/** A flush ended the wait early. */
function tryAtOnce(): void {
  return;
}
