import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededFraction } from './market.ts';
import { shopify } from './shopify.ts';
import type { Storefront } from './storefront.ts';
import { woocommerce } from './woocommerce.ts';
import { stopServer } from '../../sentry-sink/stop-server.ts';

/** Faults that can be switched on while a store runs. */
export const storeFaults = [
  'store_down',
  'slow_store',
  'rate_limit_storm',
  'price_spike',
  'invalid_products',
  'empty_feed',
  'half_feed',
  'sold_out',
] as const;

export type StoreFault = (typeof storeFaults)[number];

export function isStoreFault(name: string): name is StoreFault {
  return (storeFaults as readonly string[]).includes(name);
}

export interface StoreOptions {
  readonly platform: 'shopify' | 'woocommerce';
  readonly seed: string;
  /** Positions (from 0) within every `hiccupPeriod` product requests: one is answered with 429, the other with 502. */
  readonly rateLimitedAt?: number;
  readonly brokenAt?: number;
  /** Keeps price moves below the spike threshold of every roaster; the fault `price_spike` still works. */
  readonly isCalm?: boolean;
  /** The longest response time without a fault. Default 30. */
  readonly maxLatencyMs?: number;
}

/** A shop on 127.0.0.1. `PUT /control/faults/NAME` switches a fault on, `DELETE` switches it off. */
export interface Store extends AsyncDisposable {
  readonly url: string;
  setFault(fault: StoreFault, on: boolean): void;
  stop(): Promise<void>;
}

export const hiccupPeriod = 25;
const slowLatencyMs = 2500;
const retryAfterSeconds = 1;
const controlPath = '/control/faults/';

export async function startStore(options: StoreOptions): Promise<Store> {
  const storefront = await (options.platform === 'shopify' ? shopify() : woocommerce());
  const store = new RunningStore(options, storefront);
  await store.listen();
  return store;
}

class RunningStore implements Store {
  readonly #options: StoreOptions;
  readonly #storefront: Storefront;
  readonly #server: Server;
  readonly #faults = new Set<StoreFault>();
  readonly #stopping = new AbortController();
  #requests = 0;
  #crawls = 0;

  constructor(options: StoreOptions, storefront: Storefront) {
    this.#options = options;
    this.#storefront = storefront;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', resolve);
    });
  }

  setFault(fault: StoreFault, on: boolean): void {
    if (on) this.#faults.add(fault);
    else this.#faults.delete(fault);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await stopServer(this.#server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    const url = new URL(request.url ?? '/', 'http://store');
    if (url.pathname.startsWith(controlPath)) return this.#control(request, response, url);
    if (this.#faults.has('store_down')) return void request.socket.destroy();
    if (url.pathname !== this.#storefront.path) return void response.writeHead(404).end();
    const number = this.#requests++;
    await sleep(this.#latencyMs(number), undefined, { signal: this.#stopping.signal });
    if (this.#isRateLimited(number))
      return void response.writeHead(429, { 'retry-after': String(retryAfterSeconds) }).end();
    if (number % hiccupPeriod === this.#options.brokenAt) return void response.writeHead(502).end('bad gateway');
    this.#serve(request, response, url.searchParams);
  }

  #control(request: IncomingMessage, response: ServerResponse, url: URL): void {
    const fault = url.pathname.slice(controlPath.length);
    if (!isStoreFault(fault)) return void response.writeHead(404).end(`unknown fault: ${fault}`);
    if (request.method !== 'PUT' && request.method !== 'DELETE') {
      return void response.writeHead(405, { allow: 'PUT, DELETE' }).end();
    }
    this.setFault(fault, request.method === 'PUT');
    response.writeHead(204).end();
  }

  #isRateLimited(number: number): boolean {
    return this.#faults.has('rate_limit_storm') || number % hiccupPeriod === this.#options.rateLimitedAt;
  }

  #latencyMs(number: number): number {
    if (this.#faults.has('slow_store')) return slowLatencyMs;
    return seededFraction(this.#options.seed, 'latency', number) * (this.#options.maxLatencyMs ?? 30);
  }

  #serve(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
    if ((query.get('page') ?? '1') === '1') this.#crawls++;
    const market = {
      seed: this.#options.seed,
      generation: generationOf(this.#crawls),
      spiking: this.#faults.has('price_spike'),
      isHalved: this.#faults.has('half_feed'),
      isSoldOut: this.#faults.has('sold_out'),
      isCalm: this.#options.isCalm ?? false,
    };
    const asked = this.#faults.has('empty_feed') ? AFTER_THE_LAST_PAGE : query;
    const page = this.#storefront.page(asked, market, this.#faults.has('invalid_products'));
    const body = JSON.stringify(page.body);
    const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 32)}"`;
    if (request.headers['if-none-match'] === etag) return void response.writeHead(304, { etag, ...page.headers }).end();
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', etag, ...page.headers }).end(body);
  }
}

/** Answered with 200 and no products. */
const AFTER_THE_LAST_PAGE = new URLSearchParams({ page: '1000' });

/** Every third crawl sees the same products as the crawl before it. */
function generationOf(crawls: number): number {
  return Math.max(0, crawls - 1 - Math.floor(crawls / 3));
}
