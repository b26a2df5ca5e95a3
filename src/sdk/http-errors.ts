/** Corrects what the instrumentations of http and fetch report about requests that fail. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SpanStatusCode, SpanKind, context, type Attributes, type HrTime, type Span } from '@opentelemetry/api';
import { getRPCMetadata } from '@opentelemetry/core';
import type { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import type { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { errorType } from './error-type.ts';
import { measuring } from './exemplars/measured-span.ts';
import { completeRoute } from './server-requests.ts';

const ERROR_TYPE = 'error.type';

/** The client gave up, or the service destroyed the connection, before the whole response was written. */
const CONNECTION_CLOSED = 'connection_closed';

/**
 * An error has its code instead of the name `Error`, and an unfinished response has no status. A duration belongs to the
 * span that it measures: the instrumentation ends that span first, and the active one of an outgoing request is its parent.
 */
export function correctHttpErrors(http: HttpInstrumentation): void {
  const close = http['_closeHttpSpan'].bind(http);
  http['_closeHttpSpan'] = (span: Span, ...rest: [SpanKind, HrTime, Attributes]) =>
    measuring(span, () => close(span, ...rest));
  http['_onOutgoingRequestError'] = (span: Span, attributes: Attributes, startTime: HrTime, error: Error) => {
    fail(span, attributes, error);
    http['_closeHttpSpan'](span, SpanKind.CLIENT, startTime, attributes);
  };
  http['_onServerResponseError'] = (span: Span, attributes: Attributes, startTime: HrTime, error: Error) => {
    fail(span, attributes, error);
    http['_closeHttpSpan'](span, SpanKind.SERVER, startTime, attributes);
  };
  const onFinish = http['_onServerResponseFinish'].bind(http);
  http['_onServerResponseFinish'] = (...finish: [IncomingMessage, ServerResponse, Span, Attributes, HrTime]) => {
    const [request, response, span, attributes, startTime] = finish;
    completeRoute(request, span);
    if (response.writableFinished) return onFinish(...finish);
    const route = getRPCMetadata(context.active())?.route;
    const known = { [ERROR_TYPE]: CONNECTION_CLOSED, ...(route === undefined ? {} : { 'http.route': route }) };
    span.setAttributes(known).setStatus({ code: SpanStatusCode.ERROR });
    if (route !== undefined) span.updateName(`${request.method ?? 'GET'} ${route}`);
    http['_closeHttpSpan'](span, SpanKind.SERVER, startTime, Object.assign(attributes, known));
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
    span.end();
    requests.delete(request);
    measuring(span, () => undici['recordRequestDuration'](attributes, startTime));
  };
  const onDone = undici['onDone'].bind(undici);
  undici['onDone'] = (message: { request: object }) => {
    const requests: WeakMap<object, FetchRecord> = undici['_recordFromReq'];
    const record = requests.get(message.request);
    if (record !== undefined) measuring(record.span, () => onDone(message));
  };
  undici.enable();
}

interface FetchRecord {
  readonly span: Span;
  readonly attributes: Attributes;
  readonly startTime: HrTime;
}

function fail(span: Span, attributes: Attributes, error: unknown): void {
  const type = errorType(error);
  attributes[ERROR_TYPE] = type;
  span.setAttribute(ERROR_TYPE, type);
  // The application ended this request by intention: by the semantic conventions, the span has not failed.
  if (type === 'AbortError') return;
  const { message } = error instanceof Error ? error : {};
  span.setStatus({ code: SpanStatusCode.ERROR, ...(message === undefined ? {} : { message }) });
  if (error instanceof Error) span.recordException(error);
}
