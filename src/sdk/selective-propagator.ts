/** Sends trace headers only to known hosts. */
import {
  trace,
  type Attributes,
  type Context,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
} from '@opentelemetry/api';

const LOOPBACK = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;

/**
 * A scraper sends requests to the shops of other people, which must not see its trace ids. Headers are written for
 * loopback hosts, for the listed hosts (`api.example.com`, or `.example.com` for all its subdomains), and without a known
 * host, because then the application injects them. They are read from every sender.
 */
export class SelectivePropagator implements TextMapPropagator {
  readonly #inner: TextMapPropagator;
  readonly #hosts: readonly string[];

  constructor(inner: TextMapPropagator, hosts: readonly string[]) {
    this.#inner = inner;
    this.#hosts = hosts.map((host) => host.toLowerCase());
  }

  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    if (this.#mayReceive(context)) this.#inner.inject(context, carrier, setter);
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    return this.#inner.extract(context, carrier, getter);
  }

  fields(): string[] {
    return this.#inner.fields();
  }

  /** The HTTP instrumentations inject while the client span is active; its `server.address` is the host of the request. */
  #mayReceive(context: Context): boolean {
    const span = trace.getSpan(context) as { readonly attributes?: Attributes; isRecording(): boolean } | undefined;
    const address = span?.attributes?.['server.address'];
    // A span that is not recorded has no host, so it gets no headers.
    if (typeof address !== 'string') return span?.isRecording() ?? true;
    const host = address.toLowerCase();
    return (
      LOOPBACK.test(host) ||
      this.#hosts.some((known) => (known.startsWith('.') ? host.endsWith(known) : host === known))
    );
  }
}
