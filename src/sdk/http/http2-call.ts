/** A request of an HTTP/2 client: its span, and its measurement as `http.client.request.duration`. */
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Context, type Span } from '@opentelemetry/api';
import { hrTime } from '@opentelemetry/core';
import type { LabelValues } from '../../metrics/metric.ts';
import { instrumentationMetrics } from '../../metrics/third-party.ts';
import { INSTRUMENTATION_SCOPE, recorder } from '../recorders.ts';
import { failClosed, failSpan } from './failed-requests.ts';
import type { Http2Request, Http2Stream, Target } from './http2-target.ts';
import { forgetResponse, watchResponse } from './open-responses.ts';

const metric = instrumentationMetrics.http_client_request_duration_seconds;
const record = recorder(metric);

export class Http2Call {
  readonly span: Span;
  /** The context in which the application asked, and so that of its listeners. */
  readonly caller: Context;
  readonly #method: string;
  readonly #startedAtMs = performance.now();
  #status: number | undefined;
  #failure: string | undefined;
  /** True if the application has ended the stream. */
  #isUnwanted = false;
  /** True if the server has sent the end of the response. */
  #isWhole = false;
  #hasEnded = false;

  constructor({ method, path }: Http2Request, { scheme, host, port }: Target, caller: Context) {
    this.caller = caller;
    this.#method = method;
    const isDefault = port === (scheme === 'http' ? 80 : 443);
    this.span = trace.getTracer(INSTRUMENTATION_SCOPE).startSpan(
      method,
      {
        kind: SpanKind.CLIENT,
        attributes: {
          'http.request.method': method,
          'url.full': `${scheme}://${host}${isDefault ? '' : `:${port}`}${path}`,
          'server.address': host,
          'server.port': port,
          'network.protocol.version': '2',
        },
      },
      caller,
    );
  }

  /** Is called before the listeners of the application. */
  onEvent(stream: Http2Stream, event: string | symbol, value: unknown): void {
    if (event === 'response') this.#onResponse(stream, value as { readonly ':status'?: number });
    else if (event === 'error') this.fail(value);
    else if (event === 'close') this.#onClose();
  }

  /** The application closes or destroys the stream, which may have ended already. */
  onAbandon(stream: Http2Stream): void {
    if (!stream.closed && !stream.destroyed) this.#isUnwanted = true;
  }

  /** Nothing follows: the server has sent all, or the stream was closed before. */
  onLastChunk(stream: Http2Stream): void {
    if (!stream.closed && !stream.destroyed) this.#isWhole = true;
  }

  fail(error: unknown): void {
    if (this.#hasEnded) return;
    const { code, cause } = (error ?? {}) as { readonly code?: unknown; readonly cause?: unknown };
    // A session that ends, for example because it cannot connect, cancels the streams that have not begun.
    if (code !== 'ERR_HTTP2_STREAM_CANCEL') this.#failure ??= failSpan(this.span, error);
    else if (cause instanceof Error) this.#failure ??= failSpan(this.span, cause);
    else this.#failWithoutError();
  }

  end(agoMs = 0): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    forgetResponse(this);
    const [span, status] = [this.span, this.#status];
    if (status !== undefined && status >= 400) {
      this.#failure ??= String(status);
      span.setAttribute('error.type', this.#failure).setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end(hrTime(performance.now() - agoMs));
    const labels = {
      http_request_method: this.#method,
      ...(status !== undefined && { http_response_status_code: String(status) }),
      ...(this.#failure !== undefined && { error_type: this.#failure }),
    };
    const seconds = (performance.now() - this.#startedAtMs - agoMs) / 1000;
    record(labels as LabelValues<typeof metric>, seconds, trace.setSpan(ROOT_CONTEXT, span));
  }

  #onResponse(stream: Http2Stream, { ':status': status }: { readonly ':status'?: number }): void {
    if (status === undefined || this.#hasEnded) return;
    this.#status = status;
    this.span.setAttribute('http.response.status_code', status);
    // The socket is that of other streams, too.
    const progress = (): unknown => (stream.readableDidRead ? stream.session?.socket.bytesRead : undefined);
    watchResponse(this, { progress, end: (agoMs) => this.end(agoMs) });
  }

  #onClose(): void {
    if (this.#hasEnded) return;
    if (this.#status === undefined || !this.#isWhole) this.#failWithoutError();
    this.end();
  }

  /** A cancelled stream emits no error. */
  #failWithoutError(): void {
    this.#failure ??= this.#isUnwanted ? failSpan(this.span, undefined) : failClosed(this.span);
  }
}
