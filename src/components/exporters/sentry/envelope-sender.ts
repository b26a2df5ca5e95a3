import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';
import type { Logger } from 'pino';
import { describeError } from '../../../engine/describe-error.ts';
import { PermanentError, RetryableError } from '../../../engine/errors.ts';
import { HttpClient, type HttpAnswer } from '../../../engine/net/http-client.ts';
import { openHttpClient } from '../../../engine/net/open-http-client.ts';
import { parseRetryAfter } from '../../../engine/net/retry-after.ts';
import type { ClientTlsConfig } from '../../../engine/schema/tls.ts';
import type { Sender } from '../../../engine/delivery/delivery-queue.ts';
import type { Dsn } from './dsn.ts';
import { encodeEnvelope, type Envelope } from './envelope.ts';
import { RateLimits } from './rate-limits.ts';

const gzipAsync = promisify(gzip);

/** Node allocates a whole chunk for each call: most envelopes have a kilobyte, and its default has sixteen. */
const [MIN_CHUNK_BYTES, MAX_CHUNK_BYTES] = [512, 16 * 1024];
/** Envelopes repeat names and resources: a higher level takes three times as long and saves a fiftieth. */
const LEVEL = 1;
/** Smaller ones take less than half a millisecond. To hand one to another thread takes up to ten times as long as to compress it. */
const MAX_AT_ONCE_BYTES = 128 * 1024;

interface EnvelopeSenderOptions {
  readonly version: string;
  readonly timeoutMs: number;
  readonly tls: ClientTlsConfig;
  /** For every request; undefined for those of the environment. */
  readonly proxy: URL | undefined;
  readonly logger: Logger;
}

/** Makes one attempt to deliver an envelope, unless Sentry has asked for a pause. */
export class EnvelopeSender implements Sender<Envelope> {
  readonly #dsn: Dsn;
  readonly #version: string;
  readonly #timeoutMs: number;
  readonly #tls: ClientTlsConfig;
  readonly #proxy: URL | undefined;
  readonly #logger: Logger;
  #client = new HttpClient();
  readonly #limits = new RateLimits();
  readonly #abort = new AbortController();

  constructor(dsn: Dsn, { version, timeoutMs, tls, proxy, logger }: EnvelopeSenderOptions) {
    this.#dsn = dsn;
    this.#version = version;
    this.#timeoutMs = timeoutMs;
    this.#tls = tls;
    this.#proxy = proxy;
    this.#logger = logger;
  }

  /** @throws Error that names the file, if a TLS file cannot be read. */
  async start(): Promise<void> {
    this.#client = await openHttpClient(this.#tls, this.#logger, { proxy: this.#proxy });
  }

  /**
   * @throws PermanentError `ratelimit_backoff`, `rate_limited` (already counted by Sentry), `too_large` or `send_error`.
   * @throws RetryableError `network_error` or `send_error`.
   */
  async consume(envelope: Envelope): Promise<void> {
    if (this.#abort.signal.aborted) throw new PermanentError('shutdown', 'not sent in time');
    if (this.#limits.isLimited(envelope.category, performance.now())) {
      throw new PermanentError('ratelimit_backoff', 'Sentry asked for a pause');
    }
    const encoded = encodeEnvelope(envelope, { version: this.#version, publicKey: this.#dsn.publicKey });
    const answer = await this.#post(await compressed(encoded));
    this.#limits.update(answer.status, answer.headers, performance.now());
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
      throw new RetryableError('network_error', `Sentry cannot be reached at ${url.origin}: ${describeError(cause)}`, {
        cause,
      });
    }
  }
}

async function compressed(bytes: Uint8Array): Promise<Uint8Array> {
  const chunkSize = Math.min(Math.max(bytes.length, MIN_CHUNK_BYTES), MAX_CHUNK_BYTES);
  const options = { chunkSize, level: LEVEL };
  return bytes.length <= MAX_AT_ONCE_BYTES ? gzipSync(bytes, options) : await gzipAsync(bytes, options);
}

function errorOf(answer: HttpAnswer): PermanentError | RetryableError {
  const { status, headers } = answer;
  const message = [`Sentry answered ${status}`, ...reasonsOf(answer)].join(': ');
  if (status === 429) return new PermanentError('rate_limited', message);
  if (status === 413) return new PermanentError('too_large', message);
  if (status < 500) return new PermanentError('send_error', message);
  return new RetryableError('send_error', message, { retryAfterMs: parseRetryAfter(headers['retry-after']) });
}

const MAX_REASON_CHARACTERS = 300;

/** The only places where Sentry explains a refusal. */
function reasonsOf({ headers, body }: HttpAnswer): readonly string[] {
  const reasons = [headers['x-sentry-error'], detailOf(body)].filter((reason) => typeof reason === 'string');
  const texts = reasons.map((reason) => reason.replaceAll(/\s+/g, ' ').trim().slice(0, MAX_REASON_CHARACTERS));
  return [...new Set(texts)].filter((text) => text !== '');
}

function detailOf(body: Buffer): unknown {
  try {
    return (JSON.parse(body.toString('utf8')) as { readonly detail?: unknown } | null)?.detail;
  } catch {
    return undefined;
  }
}
