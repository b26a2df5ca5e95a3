import { context, isSpanContextValid, trace } from '@opentelemetry/api';

export interface TraceIds {
  readonly trace_id?: string;
  readonly span_id?: string;
  readonly trace_flags?: string;
}

/** The fields of a log line that is written within a span; none outside of spans. A new object each time. */
export function traceIds(): TraceIds {
  const spanContext = trace.getSpanContext(context.active());
  if (spanContext === undefined || !isSpanContextValid(spanContext)) return {};
  const { traceId, spanId, traceFlags } = spanContext;
  return { trace_id: traceId, span_id: spanId, trace_flags: `0${traceFlags.toString(16)}` };
}
