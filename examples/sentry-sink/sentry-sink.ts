import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { checkEnvelope, checkPayload, isItemType, type ItemType } from './checks.ts';
import { parseEnvelope, parseObject, type JsonObject } from './envelope.ts';
import type { Discard, SentError, SentSpanItem, SentTrace, SentTransaction } from './payloads.ts';
import { stopServer } from './stop-server.ts';
import { checkAgainst, checkTraces, type SentItems } from './trace-checks.ts';

const gunzipAsync = promisify(gunzip);

const DEFAULT_PUBLIC_KEY = '0123456789abcdef0123456789abcdef';
const PROJECT = '1';
const OTLP_PATH = `/api/${PROJECT}/integration/otlp/v1/traces`;
const MAX_ENVELOPE_BYTES = 20 * 1024 * 1024;
/** The number of payloads that are kept of each kind. */
const MAX_KEPT = 5000;

export interface SentrySinkOptions {
  /** 0, the default, lets the system choose. */
  readonly port?: number;
  /** The key of the DSN. */
  readonly publicKey?: string;
}

/** The response to envelopes while the fault is set. */
export interface Fault {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Delay of the response. */
  readonly delayMs?: number;
}

/** Starts a server on 127.0.0.1 that accepts envelopes like Sentry and checks them more strictly. */
export async function startSentrySink({ port = 0, publicKey }: SentrySinkOptions = {}): Promise<SentrySink> {
  const sink = new SentrySink(publicKey);
  await sink.listen(port);
  return sink;
}

export class SentrySink implements AsyncDisposable {
  readonly #server: Server;
  readonly #publicKey: string;
  readonly #kept: Record<ItemType, JsonObject[]> = { transaction: [], span: [], event: [], client_report: [] };
  readonly #traces: SentTrace[] = [];
  readonly #otlpRequests: Buffer[] = [];
  readonly #problems: string[] = [];
  readonly #waiting = new Set<() => void>();
  #fault: Fault | undefined;
  #requests = 0;

  constructor(publicKey: string = DEFAULT_PUBLIC_KEY) {
    this.#publicKey = publicKey;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get dsn(): string {
    return `http://${this.#publicKey}@127.0.0.1:${this.port}/${PROJECT}`;
  }

  /** The number of answered requests, including faults. */
  get requests(): number {
    return this.#requests;
  }

  transactions(): readonly SentTransaction[] {
    return this.#kept.transaction as unknown as SentTransaction[];
  }

  /** The spans of the span protocol. */
  spans(): readonly SentSpanItem[] {
    return this.#kept.span.flatMap((payload) => payload['items'] as SentSpanItem[]);
  }

  /** The sampling contexts of the accepted envelopes, in their order. */
  traces(): readonly SentTrace[] {
    return this.#traces;
  }

  errors(): readonly SentError[] {
    return this.#kept.event as unknown as SentError[];
  }

  /** Items that clients reported as dropped. */
  discards(): readonly Discard[] {
    return this.#kept.client_report.flatMap((report) => report['discarded_events'] as Discard[]);
  }

  /** Every violation of the protocol so far, and every contradiction between what is kept. */
  problems(): readonly string[] {
    return [...this.#problems, ...checkTraces(this.#items)];
  }

  /** The bodies of the requests through OTLP, in their order. */
  otlpRequests(): readonly Buffer[] {
    return this.#otlpRequests;
  }

  get #items(): SentItems {
    return { transactions: this.transactions(), spans: this.spans(), errors: this.errors() };
  }

  /** Answers every envelope like this and discards it, until it is called with undefined. */
  setFault(fault: Fault | undefined): void {
    this.#fault = fault;
  }

  /** Resolves with whether the predicate became true in time. Evaluates it after each request. */
  async waitFor(predicate: (sink: this) => boolean, timeoutMs: number): Promise<boolean> {
    if (predicate(this)) return true;
    return await new Promise<boolean>((resolve) => {
      const end = (value: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(ask);
        resolve(value);
      };
      const ask = (): void => {
        if (predicate(this)) end(true);
      };
      const timer = setTimeout(() => end(predicate(this)), timeoutMs);
      this.#waiting.add(ask);
    });
  }

  async stop(): Promise<void> {
    await stopServer(this.#server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fault = this.#fault;
    try {
      const body = await readBody(request);
      if (fault === undefined) this.#take(request, response, body);
      else await this.#fail(fault, response);
    } catch (error) {
      this.#refuse(response, 400, error instanceof Error ? error.message : String(error));
    }
    this.#requests++;
    for (const ask of this.#waiting) ask();
  }

  #take(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    if (request.method === 'POST' && request.url === OTLP_PATH) {
      this.#takeOtlp(request, response, body);
      return;
    }
    if (request.method !== 'POST' || request.url !== `/api/${PROJECT}/envelope/`) {
      this.#refuse(response, 404, `unknown endpoint ${request.method} ${request.url}`);
      return;
    }
    const denial = authProblem(request.headers['x-sentry-auth'], this.#publicKey);
    if (denial === undefined) this.#keep(response, body);
    else this.#refuse(response, 403, denial);
  }

  /** Sentry's endpoint for OTLP: the key is in a header, and the body is not an envelope. */
  #takeOtlp({ headers }: IncomingMessage, response: ServerResponse, body: Buffer): void {
    if (headers['x-sentry-auth'] !== `sentry sentry_key=${this.#publicKey}`) {
      this.#refuse(response, 403, 'x-sentry-auth has no known sentry_key');
      return;
    }
    remember(this.#otlpRequests, body);
    response.writeHead(200, { 'content-type': 'application/x-protobuf' });
    response.end();
  }

  #keep(response: ServerResponse, body: Buffer): void {
    const envelope = parseEnvelope(body);
    const items = envelope.items.map(({ header, payload }) => ({ type: header['type'], payload }));
    const known = items.flatMap(({ type, payload }) =>
      isItemType(type) ? [{ type, payload: parseObject(payload, `${type} payload`) }] : [],
    );
    const alone = [...checkEnvelope(envelope), ...known.flatMap(({ type, payload }) => checkPayload(type, payload))];
    const found = alone.length > 0 ? alone : checkAgainst(this.#items, itemsOf(known));
    if (found.length > 0) {
      this.#refuse(response, 400, found.join('; '));
      return;
    }
    for (const { type, payload } of known) remember(this.#kept[type], payload);
    if (envelope.header['trace'] !== undefined) remember(this.#traces, envelope.header['trace'] as SentTrace);
    respond(response, 200, { id: envelope.header['event_id'] });
  }

  #refuse(response: ServerResponse, status: number, problem: string): void {
    remember(this.#problems, problem);
    respond(response, status, { detail: problem });
  }

  async #fail({ status, headers = {}, delayMs = 0 }: Fault, response: ServerResponse): Promise<void> {
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    respond(response, status, { detail: 'requested by the test' });
  }
}

function itemsOf(known: readonly { readonly type: ItemType; readonly payload: JsonObject }[]): SentItems {
  const of = <T>(type: ItemType): T[] => known.filter((item) => item.type === type).map(({ payload }) => payload as unknown as T); // prettier-ignore
  const spans = of<{ readonly items: SentSpanItem[] }>('span').flatMap(({ items }) => items);
  return { transactions: of<SentTransaction>('transaction'), spans, errors: of<SentError>('event') };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_ENVELOPE_BYTES) throw new Error('envelope is too large');
    parts.push(part);
  }
  const body = Buffer.concat(parts);
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return body;
  if (encoding === 'gzip') return await gunzipAsync(body, { maxOutputLength: MAX_ENVELOPE_BYTES });
  throw new Error(`content-encoding ${encoding} is not supported`);
}

function authProblem(header: string | string[] | undefined, publicKey: string): string | undefined {
  if (typeof header !== 'string' || !header.startsWith('Sentry '))
    return 'X-Sentry-Auth is missing or has another scheme';
  const pairs = header.slice('Sentry '.length).split(/\s*,\s*/);
  const values = new Map(pairs.map((pair) => pair.split('=', 2) as [string, string]));
  if (values.get('sentry_version') !== '7') return 'sentry_version is not 7';
  if (values.get('sentry_key') !== publicKey) return 'sentry_key is unknown';
  return /^[\w.-]+\/[\w.-]+$/.test(values.get('sentry_client') ?? '') ? undefined : 'sentry_client is not name/version';
}

function remember<T>(list: T[], value: T): void {
  list.push(value);
  if (list.length > MAX_KEPT) list.shift();
}

function respond(response: ServerResponse, status: number, body: JsonObject): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
