/** Knows the host that the request of a client span goes to, also if the span is not sampled and so has no attributes. */
import { SpanKind, type Attributes, type Context, type Span, type SpanOptions } from '@opentelemetry/api';
import type { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import type { UndiciInstrumentationConfig } from '@opentelemetry/instrumentation-undici';

type StartSpan = (name: string, options: SpanOptions, context?: Context) => Span;

export class RequestTargets {
  readonly #hosts = new WeakMap<Span, string>();

  /** The host in lower case; undefined if the span is not that of an instrumented request. */
  hostOf(span: Span): string | undefined {
    return this.#hosts.get(span);
  }

  set(span: Span, host: string): void {
    this.#hosts.set(span, host.toLowerCase());
  }

  /** Remembers the hosts of `http` and `https`. */
  observeHttp(http: HttpInstrumentation): void {
    const startSpan: StartSpan = http['_startHttpSpan'].bind(http);
    http['_startHttpSpan'] = (name: string, options: SpanOptions, context?: Context) => {
      const span = startSpan(name, options, context);
      if (options.kind === SpanKind.CLIENT) this.set(span, serverAddress(options.attributes));
      return span;
    };
  }

  /** Remembers the hosts of `fetch` and undici. The hook runs before headers are written. */
  readonly onFetch: NonNullable<UndiciInstrumentationConfig['requestHook']> = (span, { origin }) => {
    this.set(span, URL.parse(origin)?.hostname ?? '');
  };
}

function serverAddress(attributes: Attributes = {}): string {
  const address = attributes['server.address'];
  return typeof address === 'string' ? address : '';
}
