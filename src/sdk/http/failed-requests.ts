/** Corrects what the instrumentations of http and fetch report about requests that fail. */
import { SpanStatusCode, SpanKind, type Attributes, type HrTime, type Span } from '@opentelemetry/api';
import type { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import type { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { errorType } from '../error-type.ts';
import { messageOf, recordException } from '../exceptions.ts';
import { measuring } from '../exemplars/measured-span.ts';
import { replaceTraceHeaders } from './given-headers.ts';
import { forgetResponse } from './open-responses.ts';
import { endUnreadFetches, type FetchRecord } from './unread-responses.ts';

const ERROR_TYPE = 'error.type';

/**
 * The error of an outgoing request has its code instead of the name `Error`. A duration belongs to the span that it
 * measures: the instrumentation ends that span first, and the active one is its parent.
 */
export function correctHttpErrors(http: HttpInstrumentation): void {
  const close = http['_closeHttpSpan'].bind(http);
  http['_closeHttpSpan'] = (span: Span, ...rest: [SpanKind, HrTime, Attributes]) => {
    forgetResponse(span);
    measuring(span, () => close(span, ...rest));
  };
  http['_onOutgoingRequestError'] = (span: Span, attributes: Attributes, startTime: HrTime, error: Error) => {
    fail(span, attributes, error);
    http['_closeHttpSpan'](span, SpanKind.CLIENT, startTime, attributes);
  };
}

/**
 * An aborted fetch fails with `AbortError`, one that took too long with `TimeoutError`. A duration belongs to the span that
 * it measures: the active one is that of the request that opened the connection.
 */
export function correctFetchErrors(undici: UndiciInstrumentation): void {
  // It has bound its methods to the channels already.
  undici.disable();
  undici['onError'] = ({ request, error }: { request: object; error: unknown }) => {
    const requests: WeakMap<object, FetchRecord> = undici['_recordFromReq'];
    const record = requests.get(request);
    if (record === undefined) return;
    const { span, attributes, startTime } = record;
    fail(span, attributes, error);
    forgetResponse(span);
    span.end();
    requests.delete(request);
    measuring(span, () => undici['recordRequestDuration'](attributes, startTime));
  };
  const onDone = undici['onDone'].bind(undici);
  undici['onDone'] = (message: { request: object }) => {
    const requests: WeakMap<object, FetchRecord> = undici['_recordFromReq'];
    const record = requests.get(message.request);
    if (record === undefined) return;
    forgetResponse(record.span);
    measuring(record.span, () => onDone(message));
  };
  endUnreadFetches(undici);
  replaceTraceHeaders(undici);
  undici.enable();
}

function fail(span: Span, attributes: Attributes, error: unknown): void {
  attributes[ERROR_TYPE] = failSpan(span, error);
}

/** The connection, or the stream of one request, ended before the whole response had arrived. */
const CONNECTION_CLOSED = 'connection_closed';

/** Does the same as {@link failSpan} for a request that ended without an error. */
export function failClosed(span: Span): string {
  span.setAttribute(ERROR_TYPE, CONNECTION_CLOSED).setStatus({ code: SpanStatusCode.ERROR });
  return CONNECTION_CLOSED;
}

/** Adds the error to the span. Returns its kind. */
export function failSpan(span: Span, error: unknown): string {
  const type = errorType(error);
  span.setAttribute(ERROR_TYPE, type);
  // The application ended this request by intention: by the semantic conventions, the span has not failed.
  if (type === 'AbortError') return type;
  if (!(error instanceof Error)) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    return type;
  }
  span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
  recordException(span, error);
  return type;
}
