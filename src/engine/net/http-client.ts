import {
  Agent as HttpAgent,
  request as httpRequest,
  type AgentOptions,
  type ClientRequest,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type RequestOptions,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { connectionOptions, type ClientTls } from './client-tls.ts';
import { proxyFor, type ProxyEnvironment } from './proxy-settings.ts';
import { addressOf, proxyHeaders, TunnelAgent } from './tunnel-agent.ts';

/** Enough for any answer of a protocol. */
const DEFAULT_MAX_ANSWER_BYTES = 64 * 1024;

export interface HttpClientOptions {
  /** Only for https. */
  readonly tls?: ClientTls;
  /** Contains `HTTPS_PROXY` and so on; by default that of the process. */
  readonly environment?: ProxyEnvironment;
  /** Every request goes through it, whatever the environment contains. */
  readonly proxy?: URL | undefined;
  /** 0 for any number. */
  readonly maxConnections?: number;
  /** After which time without a request a connection is closed; 0 for never. */
  readonly idleMs?: number;
  /** True, the default, if a connection serves several requests. */
  readonly keepAlive?: boolean;
  /** The rest of an answer is not read; by default beyond 64 KiB. 0 if its status is all that counts. */
  readonly maxAnswerBytes?: number;
}

export interface PostRequest {
  /** POST unless given. */
  readonly method?: string;
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
  /** At most `maxAnswerBytes`. */
  readonly body: Buffer;
  /** False if `body` is only the beginning of the answer. */
  readonly complete: boolean;
}

/** Posts over keep-alive connections, through the proxy of the environment. Follows 307 and 308 once. */
export class HttpClient {
  readonly #proxyFor: (url: URL) => URL | undefined;
  readonly #maxAnswerBytes: number;
  readonly #connections: AgentOptions;
  readonly #http: HttpAgent;
  #tls: ClientTls;
  #https: HttpsAgent | undefined;
  readonly #tunnels = new Map<string, TunnelAgent>();

  constructor({
    tls = {},
    environment = process.env,
    proxy,
    maxAnswerBytes = DEFAULT_MAX_ANSWER_BYTES,
    maxConnections = 0,
    idleMs = 0,
    keepAlive = true,
  }: HttpClientOptions = {}) {
    this.#tls = tls;
    this.#proxyFor = (url) => proxy ?? proxyFor(url, environment);
    this.#maxAnswerBytes = maxAnswerBytes;
    this.#connections = {
      keepAlive,
      maxSockets: maxConnections || Infinity,
      ...(idleMs > 0 ? { timeout: idleMs } : {}),
    };
    this.#http = new HttpAgent(this.#connections);
  }

  /** New connections use these certificates. Connections with the previous ones end with their requests. */
  useTls(tls: ClientTls): void {
    this.#tls = tls;
    for (const agent of this.#secureAgents()) retire(agent);
    this.#https = undefined;
    this.#tunnels.clear();
  }

  /** Rejects with the network error, or with the reason of the abort. */
  async post(request: PostRequest, { follows = true } = {}): Promise<HttpAnswer> {
    const timeout = new AbortController();
    const timer = setTimeout(
      () => timeout.abort(new Error(`no answer within ${request.timeoutMs} ms`)),
      request.timeoutMs,
    );
    const signal = AbortSignal.any([request.signal, timeout.signal]);
    try {
      const answer = await this.#twice(request, signal);
      const redirected = follows ? redirectedTo(request, answer) : undefined;
      return redirected === undefined ? answer : await this.#twice(redirected, signal);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes all connections. */
  close(): void {
    this.#http.destroy();
    for (const agent of this.#secureAgents()) agent.destroy();
  }

  async #twice(request: PostRequest, signal: AbortSignal): Promise<HttpAnswer> {
    try {
      return await this.#attempt(request, signal);
    } catch (error) {
      if (!(error instanceof StaleConnectionError)) throw error;
      // The server closed the idle connection just before: try once on a new one.
      return await this.#attempt(request, signal);
    }
  }

  async #attempt({ method = 'POST', url, headers, chunks }: PostRequest, signal: AbortSignal): Promise<HttpAnswer> {
    signal.throwIfAborted();
    const answer = Promise.withResolvers<HttpAnswer>();
    const request = this.#open(url, {
      method,
      headers: { ...headers, 'content-length': totalBytes(chunks) },
      signal,
    });
    request.on('error', (error) => answer.reject(explain(error, request, signal)));
    readAnswer(request, signal, { answer, maxBytes: this.#maxAnswerBytes });
    for (const chunk of chunks) request.write(chunk);
    request.end();
    return await answer.promise;
  }

  #open(url: URL, options: RequestOptions): ClientRequest {
    const proxy = this.#proxyFor(url);
    if (url.protocol === 'https:') {
      return httpsRequest(url, { ...options, agent: proxy === undefined ? this.#secureAgent() : this.#tunnel(proxy) });
    }
    if (proxy === undefined) return httpRequest(url, { ...options, agent: this.#http });
    const headers = { ...(options.headers as OutgoingHttpHeaders), host: url.host, ...proxyHeaders(proxy) };
    const through = { ...options, ...addressOf(proxy), path: url.href, headers };
    if (proxy.protocol === 'https:') return httpsRequest({ ...through, agent: this.#secureAgent() });
    return httpRequest({ ...through, agent: this.#http });
  }

  #secureAgent(): HttpsAgent {
    this.#https ??= new HttpsAgent({ ...this.#connections, ...connectionOptions(this.#tls) });
    return this.#https;
  }

  #tunnel(proxy: URL): TunnelAgent {
    const options = { ...this.#connections, ...connectionOptions(this.#tls) };
    const tunnel = this.#tunnels.get(proxy.href) ?? new TunnelAgent(proxy, options);
    this.#tunnels.set(proxy.href, tunnel);
    return tunnel;
  }

  #secureAgents(): HttpsAgent[] {
    return [...this.#tunnels.values(), ...(this.#https === undefined ? [] : [this.#https])];
  }
}

/** Closes idle connections, and the others when their requests end. */
function retire(agent: HttpAgent): void {
  agent.maxFreeSockets = 0;
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}

/** Headers that another host may see. */
const HARMLESS = new Set(['content-type', 'content-encoding', 'user-agent']);

/** The same request to where the answer leads. Other headers may be credentials, so only the same host gets them. */
function redirectedTo(request: PostRequest, { status, headers }: HttpAnswer): PostRequest | undefined {
  const location = headers.location;
  if ((status !== 307 && status !== 308) || location === undefined) return undefined;
  if (!URL.canParse(location, request.url.href)) return undefined;
  const url = new URL(location, request.url);
  const isDowngrade = request.url.protocol === 'https:' && url.protocol === 'http:';
  if (!/^https?:$/.test(url.protocol) || isDowngrade) return undefined;
  if (url.hostname === request.url.hostname) return { ...request, url };
  const harmless = Object.entries(request.headers).filter(([name]) => HARMLESS.has(name.toLowerCase()));
  return { ...request, url, headers: Object.fromEntries(harmless) };
}

class StaleConnectionError extends Error {}

function explain(error: NodeJS.ErrnoException, request: ClientRequest, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE'))
    return new StaleConnectionError(error.message, { cause: error });
  return error;
}

function readAnswer(
  request: ClientRequest,
  signal: AbortSignal,
  { answer, maxBytes }: { readonly answer: PromiseWithResolvers<HttpAnswer>; readonly maxBytes: number },
): void {
  request.on('response', (response) => {
    const parts: Buffer[] = [];
    let size = 0;
    const finish = (complete: boolean): void => {
      const { statusCode: status = 0, headers } = response;
      answer.resolve({ status, headers, body: Buffer.concat(parts), complete });
      // Closes the connection: a server may send for ever, or wait.
      if (!complete) response.destroy();
    };
    response.on('data', (part: Buffer) => {
      if (size < maxBytes) parts.push(part.subarray(0, maxBytes - size));
      size += part.length;
      if (size > maxBytes) finish(false);
    });
    response.on('error', (error) => answer.reject(signal.aborted ? signal.reason : error));
    response.on('end', () => finish(size <= maxBytes));
    if (maxBytes === 0) finish(false);
  });
}

function totalBytes(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}
