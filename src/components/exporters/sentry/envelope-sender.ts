import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { PermanentError, RetryableError } from '../../../engine/errors.ts';
import { HttpClient, type HttpAnswer } from '../../../engine/net/http-client.ts';
import { parseRetryAfter } from '../../../engine/net/retry-after.ts';
import type { Sender } from '../../../engine/delivery/sending-queue.ts';
import type { Dsn } from './dsn.ts';
import { encodeEnvelope, type Envelope } from './envelope.ts';
import { RateLimits } from './rate-limits.ts';

const gzipAsync = promisify(gzip);

/** Makes one attempt to deliver an envelope, unless Sentry has asked for a pause. */
export class EnvelopeSender implements Sender<Envelope> {
  readonly #dsn: Dsn;
  readonly #version: string;
  readonly #timeoutMs: number;
  readonly #client = new HttpClient();
  readonly #limits = new RateLimits();
  readonly #abort = new AbortController();

  constructor(dsn: Dsn, { version, timeoutMs }: { readonly version: string; readonly timeoutMs: number }) {
    this.#dsn = dsn;
    this.#version = version;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * @throws PermanentError `ratelimit_backoff`, `rate_limited` (already counted by Sentry), `too_large` or `send_error`.
   * @throws RetryableError `network_error` or `send_error`.
   */
  async consume(envelope: Envelope): Promise<void> {
    if (this.#abort.signal.aborted) throw new PermanentError('shutdown', 'not sent in time');
    if (this.#limits.isLimited(envelope.category, Date.now())) {
      throw new PermanentError('ratelimit_backoff', 'Sentry asked for a pause');
    }
    const answer = await this.#post(await gzipAsync(encodeEnvelope(envelope, this.#version)));
    this.#limits.update(answer.status, answer.headers, Date.now());
    if (answer.status < 200 || answer.status > 299) throw errorOf(answer);
  }

  /** Aborts running requests. */
  close(): void {
    this.#abort.abort();
    this.#client.close();
  }

  async #post(body: Uint8Array): Promise<HttpAnswer> {
    const { envelopeUrl: url, publicKey } = this.#dsn;
    const client = `siphon/${this.#version}`;
    const headers = {
      'content-type': 'application/x-sentry-envelope',
      'content-encoding': 'gzip',
      'user-agent': client,
      'x-sentry-auth': `Sentry sentry_version=7, sentry_key=${publicKey}, sentry_client=${client}`,
    };
    try {
      return await this.#client.post({
        url,
        headers,
        chunks: [body],
        timeoutMs: this.#timeoutMs,
        signal: this.#abort.signal,
      });
    } catch (cause) {
      if (this.#abort.signal.aborted) throw new PermanentError('shutdown', 'not sent in time', { cause });
      throw new RetryableError('network_error', `Sentry cannot be reached at ${url.origin}: ${String(cause)}`, {
        cause,
      });
    }
  }
}

function errorOf({ status, headers }: HttpAnswer): PermanentError | RetryableError {
  const message = `Sentry answered ${status}`;
  if (status === 429) return new PermanentError('rate_limited', message);
  if (status === 413) return new PermanentError('too_large', message);
  if (status < 500) return new PermanentError('send_error', message);
  return new RetryableError('send_error', message, { retryAfterMs: parseRetryAfter(headers['retry-after']) });
}
