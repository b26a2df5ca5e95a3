import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { SecureContextOptions } from 'node:tls';

/** Enough for any answer of a protocol. The rest is discarded. */
const MAX_RESPONSE_BYTES = 64 * 1024;

export interface HttpClientOptions {
  /** Certificates in PEM, and the check of the server's certificate. Only for https. */
  readonly tls?: Pick<SecureContextOptions, 'ca' | 'cert' | 'key'> & { readonly rejectUnauthorized?: boolean };
}

export interface PostRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Written one after another as they are. */
  readonly chunks: readonly Uint8Array[];
  /** From the connection to the last byte of the answer. */
  readonly timeoutMs: number;
  /** Ends the request early. */
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** At most 64 KiB. */
  readonly body: Buffer;
  /** False if `body` is only the beginning of the answer. */
  readonly complete: boolean;
}

/** Posts over keep-alive connections. Does not follow redirects: it returns them as answers. */
export class HttpClient {
  readonly #agents: { readonly http: InstanceType<typeof HttpAgent>; readonly https: HttpsAgent };

  constructor({ tls = {} }: HttpClientOptions = {}) {
    this.#agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true, ...tls }) };
  }

  /** Rejects with the network error, or with the reason of the abort. */
  async post(request: PostRequest): Promise<HttpAnswer> {
    const timeout = new AbortController();
    const timer = setTimeout(
      () => timeout.abort(new Error(`no answer within ${request.timeoutMs} ms`)),
      request.timeoutMs,
    );
    const signal = AbortSignal.any([request.signal, timeout.signal]);
    try {
      return await this.#attempt(request, signal);
    } catch (error) {
      if (!(error instanceof StaleConnectionError)) throw error;
      // The server closed the idle connection just before: try once on a new one.
      return await this.#attempt(request, signal);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes idle connections; those in use end with their requests. */
  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  async #attempt({ url, headers, chunks }: PostRequest, signal: AbortSignal): Promise<HttpAnswer> {
    signal.throwIfAborted();
    const answer = Promise.withResolvers<HttpAnswer>();
    const options = { method: 'POST', headers: { ...headers, 'content-length': totalBytes(chunks) }, signal };
    const request =
      url.protocol === 'https:'
        ? httpsRequest(url, { ...options, agent: this.#agents.https })
        : httpRequest(url, { ...options, agent: this.#agents.http });
    request.on('error', (error) => answer.reject(explain(error, request, signal)));
    readAnswer(request, signal, answer);
    for (const chunk of chunks) request.write(chunk);
    request.end();
    return await answer.promise;
  }
}

class StaleConnectionError extends Error {}

function explain(error: NodeJS.ErrnoException, request: ClientRequest, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE'))
    return new StaleConnectionError(error.message, { cause: error });
  return error;
}

function readAnswer(request: ClientRequest, signal: AbortSignal, answer: PromiseWithResolvers<HttpAnswer>): void {
  request.on('response', (response) => {
    const parts: Buffer[] = [];
    let size = 0;
    response.on('data', (part: Buffer) => {
      if (size < MAX_RESPONSE_BYTES) parts.push(part.subarray(0, MAX_RESPONSE_BYTES - size));
      size += part.length;
    });
    response.on('error', (error) => answer.reject(signal.aborted ? signal.reason : error));
    response.on('end', () => {
      const { statusCode: status = 0, headers } = response;
      answer.resolve({ status, headers, body: Buffer.concat(parts), complete: size <= MAX_RESPONSE_BYTES });
    });
  });
}

function totalBytes(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}
