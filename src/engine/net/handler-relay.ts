import { aborted } from '../aborted.ts';

/** A request with its answer: a response of HTTP/1, or a stream of HTTP/2. */
interface Exchange {
  readonly destroyed: boolean;
  once(event: 'close', listener: () => void): unknown;
  destroy(): unknown;
}

/** Passes the requests of a server to the handlers of its component. Between two components, requests wait. */
export class HandlerRelay<Handlers> {
  readonly #running = new Set<Exchange>();
  readonly #waiting: { readonly exchange: Exchange; readonly run: (handlers: Handlers) => void }[] = [];
  #current: Handlers | undefined;
  #quiet: (() => void) | undefined;

  get current(): Handlers | undefined {
    return this.#current;
  }

  /** From now on requests go to these handlers, also those that waited. */
  serve(handlers: Handlers): void {
    this.#current = handlers;
    for (const { exchange, run } of this.#waiting.splice(0)) this.pass(exchange, run);
  }

  pass(exchange: Exchange, run: (handlers: Handlers) => void): void {
    if (exchange.destroyed) return;
    if (this.#current === undefined) return void this.#waiting.push({ exchange, run });
    this.#running.add(exchange);
    exchange.once('close', () => {
      this.#running.delete(exchange);
      if (this.#running.size === 0) this.#quiet?.();
    });
    run(this.#current);
  }

  /** From now on requests wait. Resolves when the earlier ones have ended; cuts them off when the deadline aborts. */
  async hold(deadline: AbortSignal): Promise<void> {
    this.#current = undefined;
    if (this.#running.size === 0) return;
    const quiet = new Promise<void>((resolve) => (this.#quiet = resolve));
    await Promise.race([quiet, aborted(deadline)]);
    for (const exchange of this.#running) exchange.destroy();
  }

  /** Cuts off the requests that wait. */
  discard(): void {
    for (const { exchange } of this.#waiting.splice(0)) exchange.destroy();
  }
}
