/** Sends trace headers only to hosts that are known to be ours. */
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
 * A scraper's requests go to other people's shops, which have no use for its trace ids. Headers are written for
 * loopback hosts, for the listed hosts (`api.example.com`, or `.example.com` for all below it), and where no host is
 * known because the application itself injects. They are read from everybody.
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

  /** The HTTP instrumentations inject with the client span active, whose `server.address` is the host that is asked. */
  #mayReceive(context: Context): boolean {
    const span = trace.getSpan(context) as { readonly attributes?: Attributes; isRecording(): boolean } | undefined;
    const address = span?.attributes?.['server.address'];
    // A span that is not recorded does not tell its host, so nobody gets its headers.
    if (typeof address !== 'string') return span?.isRecording() ?? true;
    const host = address.toLowerCase();
    return (
      LOOPBACK.test(host) ||
      this.#hosts.some((known) => (known.startsWith('.') ? host.endsWith(known) : host === known))
    );
  }
}
