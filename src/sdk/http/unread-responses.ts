/** Ends the spans of requests of http and fetch whose response the service does not read to its end, with the part that has arrived. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { SpanStatusCode, type Attributes, type HrTime, type Span } from '@opentelemetry/api';
import { hrTime, hrTimeDuration, hrTimeToMilliseconds } from '@opentelemetry/core';
import type { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import type { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { measuring } from '../exemplars/measured-span.ts';
import { attachment } from './attachment.ts';
import { watchResponse } from './open-responses.ts';

type Measured = readonly [startTime: HrTime, attributes: Attributes];

/** The keys are the spans. */
const measurements = attachment<Measured>();

/** The hook for responses must be in the settings of the instrumentation. */
export function endUnreadResponses(http: HttpInstrumentation): void {
  const traceRequest = http['_traceClientRequest'].bind(http);
  http['_traceClientRequest'] = (request: ClientRequest, span: Span, ...measured: [HrTime, Attributes]) => {
    measurements.add(span, measured);
    return traceRequest(request, span, ...measured);
  };
  http['_callResponseHook'] = (span: Span, response: IncomingMessage) => {
    const [startTime, attributes] = measurements.of(span) ?? [];
    if (startTime === undefined || attributes === undefined) return;
    const { socket, statusCode = 0 } = response;
    watchResponse(span, {
      progress: () => socket.bytesRead,
      end: (agoMs) => {
        if (statusCode >= 400) fail(span, statusCode);
        const openSpans: WeakSet<Span> = http['_spanNotEnded'];
        openSpans.delete(span);
        span.end(hrTime(performance.now() - agoMs));
        measuring(span, () => http['_recordClientDuration'](elapsedMs(startTime) - agoMs, attributes));
      },
    });
  };
}

function fail(span: Span, statusCode: number): void {
  span.setAttribute('error.type', String(statusCode)).setStatus({ code: SpanStatusCode.ERROR });
}

function elapsedMs(startTime: HrTime): number {
  return hrTimeToMilliseconds(hrTimeDuration(startTime, hrTime()));
}

/** A request in the table of the instrumentation. */
export interface FetchRecord {
  readonly span: Span;
  readonly attributes: Attributes;
  readonly startTime: HrTime;
}

interface HeadOfRequest {
  readonly request: object;
  readonly socket: Socket;
}

/** Must run while the instrumentation is disabled. */
export function endUnreadFetches(undici: UndiciInstrumentation): void {
  const requests: WeakMap<object, FetchRecord> = undici['_recordFromReq'];
  const sockets = attachment<Socket>();
  const onRequestHeaders = undici['onRequestHeaders'].bind(undici);
  undici['onRequestHeaders'] = (message: HeadOfRequest) => {
    const record = requests.get(message.request);
    if (record !== undefined && sockets.of(record) === undefined) sockets.add(record, message.socket);
    onRequestHeaders(message);
  };
  const onResponseHeaders = undici['onResponseHeaders'].bind(undici);
  undici['onResponseHeaders'] = (message: { request: object }) => {
    onResponseHeaders(message);
    const record = requests.get(message.request);
    if (record !== undefined) watchFetch(undici, message.request, record, sockets.of(record));
  };
}

function watchFetch(
  undici: UndiciInstrumentation,
  request: object,
  { span, attributes, startTime }: FetchRecord,
  socket: Socket | undefined,
): void {
  watchResponse(span, {
    progress: () => socket?.bytesRead,
    end: (agoMs) => {
      undici['_recordFromReq'].delete(request);
      span.end(hrTime(performance.now() - agoMs));
      const [seconds, nanoseconds] = startTime;
      const later: HrTime = [seconds + Math.floor(agoMs / 1000), nanoseconds + Math.round((agoMs % 1000) * 1e6)];
      measuring(span, () => undici['recordRequestDuration'](attributes, later));
    },
  });
}
