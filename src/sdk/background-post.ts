/** One HTTP POST that does not keep the process alive. */
import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import { RETRYABLE_STATUSES } from './last-delivery.ts';
import { parseRetryAfter } from './rate-limit.ts';

export interface PostOutcome {
  /** Undefined if the server accepted the request. */
  readonly problem?: Error;
  /** True if a retry can help. */
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
}

/**
 * Never rejects. The request does not keep the event loop alive; a caller that needs the response must do so.
 *
 * @param onStart receives the request that was started.
 */
export async function postInBackground(
  url: string,
  body: Uint8Array,
  options: RequestOptions,
  onStart: (request: ClientRequest) => void,
): Promise<PostOutcome> {
  try {
    const response = await request(url, body, options, onStart);
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

/** True if the operating system has the whole request, so that the end of the process does not cut it off. */
export function isHandedOver({ writableEnded, socket }: ClientRequest): boolean {
  return writableEnded && socket?.connecting === false && socket.writableLength === 0;
}

async function request(
  url: string,
  body: Uint8Array,
  options: RequestOptions,
  onStart: (request: ClientRequest) => void,
): Promise<IncomingMessage> {
  const client = url.startsWith('https:') ? https : http;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const sent = client.request(url, { ...options, method: 'POST' });
  sent.once('socket', (socket) => socket.unref());
  sent.once('response', resolve);
  // Stays registered, because the connection may also break after the response.
  sent.on('error', reject);
  sent.end(body);
  onStart(sent);
  return await promise;
}
