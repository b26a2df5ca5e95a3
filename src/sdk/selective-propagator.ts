/** Sends trace headers only to known hosts. */
import {
  trace,
  type Context,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
} from '@opentelemetry/api';
import type { RequestTargets } from './request-targets.ts';

const LOOPBACK = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;

/**
 * A scraper sends requests to the shops of other people, which must not see its trace ids. In requests of `http` and
 * `fetch`, headers are written for loopback hosts and for the listed hosts (`api.example.com`, or `.example.com` for all its
 * subdomains). Whatever else injects, such as a queue or the application itself, is not restricted. Headers are read from
 * every sender.
 */
export class SelectivePropagator implements TextMapPropagator {
  readonly #inner: TextMapPropagator;
  readonly #targets: RequestTargets;
  readonly #hosts: readonly string[];

  constructor(inner: TextMapPropagator, targets: RequestTargets, hosts: readonly string[]) {
    this.#inner = inner;
    this.#targets = targets;
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

  /** The instrumentations inject while the span of the request is active. */
  #mayReceive(context: Context): boolean {
    const span = trace.getSpan(context);
    const host = span && this.#targets.hostOf(span);
    if (host === undefined || LOOPBACK.test(host)) return true;
    return this.#hosts.some((known) => (known.startsWith('.') ? host.endsWith(known) : host === known));
  }
}
