import { recordFetch, runOperation, withBackoff, type FetchErrorType } from 'siphon-otel/pipeline';
import type { ProductSource } from './product-source.ts';

/** A.2 fetches everything, B.1 only prices and stock. */
export type FetchOperation = 'A.2' | 'B.1';

export interface FetchedPage {
  readonly url: string;
  /** Undefined without a response. */
  readonly status: number | undefined;
  readonly body: string;
}

export interface Fetched {
  readonly pages: readonly FetchedPage[];
  /** Products of the pages that were sent. */
  readonly products: readonly unknown[];
  /** Products of pages that have not changed since the last fetch (304). */
  readonly unchanged: readonly unknown[];
  /** Why some pages could not be read. */
  readonly error: FetchError | undefined;
}

export class FetchError extends Error {
  override readonly name = 'FetchError';
}

const pageSizes = { shopify: 10, woocommerce: 5 } as const;
const maxPages = 100;
const timeoutMs = 10_000;

/** Reads the pages of product sources with conditional requests. */
export class ProductFetcher {
  readonly #operation: FetchOperation;
  readonly #known = new Map<string, KnownPage>();
  readonly #signal: AbortSignal;

  constructor(operation: FetchOperation, signal: AbortSignal) {
    this.#operation = operation;
    this.#signal = signal;
  }

  /** Returns the pages before a failed page and does not throw. The operation counts as failed. */
  async fetch(source: ProductSource): Promise<Fetched> {
    const fetched = { pages: [] as FetchedPage[], products: [] as unknown[], unchanged: [] as unknown[] };
    try {
      await runOperation(this.#operation, { source: source.slug }, async () => {
        for (let number = 1; number <= maxPages; number++) {
          if (await this.#fetchPage(source, number, fetched)) return;
        }
      });
      return { ...fetched, error: undefined };
    } catch (error) {
      return { ...fetched, error: asFetchError(error) };
    }
  }

  /** Requests every page in full the next time, because the last products may not have been stored. */
  forget(source: ProductSource): void {
    for (const url of this.#known.keys()) if (url.startsWith(source.productsUrl)) this.#known.delete(url);
  }

  /** Returns whether this was the last page. */
  async #fetchPage(
    source: ProductSource,
    number: number,
    { pages, products, unchanged }: { pages: FetchedPage[]; products: unknown[]; unchanged: unknown[] },
  ): Promise<boolean> {
    const url = pageUrl(source, number);
    const known = this.#known.get(url);
    const page = await this.#request(source, url, known?.etag);
    pages.push(page);
    if (page.status === 304 && known !== undefined) {
      unchanged.push(...known.products);
      return known.isLast;
    }
    if (page.status !== 200) {
      throw new FetchError(`cannot fetch page ${number} of ${source.slug}: ${page.status ?? page.failure}`);
    }
    const listed = this.#parse(source, page);
    products.push(...listed);
    const isLast = listed.length < pageSizes[source.platform] || String(number) === page.totalPages;
    if (page.etag !== null) this.#known.set(url, { etag: page.etag, isLast, products: listed });
    return isLast;
  }

  async #request(source: ProductSource, url: string, etag: string | undefined): Promise<Answer> {
    const labels = { source: source.slug, platform: source.platform };
    const headers = { accept: 'application/json', ...(etag === undefined ? {} : { 'if-none-match': etag }) };
    const attempt = async (): Promise<Response> => {
      const startedAt = performance.now();
      const seconds = (): number => (performance.now() - startedAt) / 1000;
      try {
        const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(timeoutMs)]);
        const response = await fetch(url, { headers, signal });
        const body = await response.text();
        recordFetch(labels, seconds(), response.status);
        return new Response(response.status === 304 ? null : body, response);
      } catch (error) {
        recordFetch(labels, seconds(), failureOf(error));
        throw error;
      }
    };
    try {
      const response = await withBackoff({ service: source.slug, signal: this.#signal, retries: 2 }, attempt);
      return {
        url,
        status: response.status,
        body: await response.text(),
        etag: response.headers.get('etag'),
        totalPages: response.headers.get('x-wp-totalpages'),
      };
    } catch (error) {
      this.#signal.throwIfAborted();
      return { url, status: undefined, body: '', etag: null, totalPages: null, failure: failureOf(error) };
    }
  }

  #parse(source: ProductSource, page: FetchedPage): readonly unknown[] {
    const listed = listOf(page.body);
    if (listed !== undefined) return listed;
    recordFetch({ source: source.slug, platform: source.platform }, Number.NaN, 'invalid_body');
    throw new FetchError(`the response of ${source.slug} is not a list of products`);
  }
}

interface KnownPage {
  readonly etag: string;
  readonly isLast: boolean;
  readonly products: readonly unknown[];
}

interface Answer extends FetchedPage {
  readonly etag: string | null;
  readonly totalPages: string | null;
  readonly failure?: FetchErrorType;
}

function pageUrl(source: ProductSource, number: number): string {
  const size = source.platform === 'shopify' ? 'limit' : 'per_page';
  return `${source.productsUrl}?${size}=${pageSizes[source.platform]}&page=${number}`;
}

function listOf(body: string): readonly unknown[] | undefined {
  try {
    const parsed = JSON.parse(body) as { products?: unknown } | null;
    const list = Array.isArray(parsed) ? parsed : parsed?.products;
    return Array.isArray(list) ? list : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function failureOf(error: unknown): FetchErrorType {
  return error instanceof Error && error.name === 'TimeoutError' ? 'timeout' : 'connection';
}

function asFetchError(error: unknown): FetchError {
  return error instanceof FetchError ? error : new FetchError('the fetch failed', { cause: error });
}
