/** One HTTP POST that does not keep the process alive. */
import type { IncomingMessage, RequestOptions } from 'node:http';
import { createRequire } from 'node:module';
import { parseRetryAfter } from './rate-limit.ts';

export interface PostOutcome {
  /** Undefined when the request was taken. */
  readonly problem?: Error;
  /** Whether to send it again can help: https://opentelemetry.io/docs/specs/otlp/#failures-1 */
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
}

const RETRYABLE_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Used at the first request only: `node:http` is not loaded before its instrumentation can see it. */
const require = createRequire(import.meta.url);

/** Does not reject. Whoever needs the answer before the event loop runs empty keeps the loop alive himself. */
export async function postInBackground(url: string, body: Uint8Array, options: RequestOptions): Promise<PostOutcome> {
  try {
    const response = await request(url, body, options);
    response.resume();
    const { statusCode = 0, headers } = response;
    if (statusCode >= 200 && statusCode <= 299) return { retryable: false };
    const retryAfterMs = parseRetryAfter(headers['retry-after'] ?? '');
    return {
      problem: new Error(`the OTLP endpoint answered ${statusCode}`),
      retryable: RETRYABLE_STATUSES.has(statusCode),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  } catch (error) {
    return { problem: error instanceof Error ? error : new Error(String(error)), retryable: true };
  }
}

async function request(url: string, body: Uint8Array, options: RequestOptions): Promise<IncomingMessage> {
  const client = require(url.startsWith('https:') ? 'node:https' : 'node:http') as typeof import('node:http');
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const sent = client.request(url, { ...options, method: 'POST' });
  sent.once('socket', (socket) => socket.unref());
  sent.once('response', resolve);
  // Stays, because a connection may also break after the answer.
  sent.on('error', reject);
  sent.end(body);
  return await promise;
}
