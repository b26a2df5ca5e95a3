/** The span that a measurement belongs to, where the active span is another one or has ended. */
import { context, trace, TraceFlags, type Context, type Span, type SpanContext } from '@opentelemetry/api';

let measured: Span | undefined;

/** Assigns the measurements that `body` makes before it returns to this span, even if the span has ended. */
export function measuring(span: Span, body: () => void): void {
  const outer = measured;
  measured = span;
  try {
    body();
  } finally {
    measured = outer;
  }
}

/**
 * Returns the sampled span of this process that a measurement belongs to: that of {@link measuring}, that of the context
 * which the caller gave, or the active one. An active span that has ended does not count: connections and timers keep
 * the context of the request that created them, and would link the measurements of later requests to its trace.
 */
export function spanOfMeasurement(given: Context | undefined): SpanContext | undefined {
  const span = measured ?? trace.getSpan(given ?? context.active());
  if (span === undefined) return undefined;
  const ids = span.spanContext();
  if ((ids.traceFlags & TraceFlags.SAMPLED) === 0 || ids.isRemote === true) return undefined;
  return measured !== undefined || given !== undefined || span.isRecording() ? ids : undefined;
}
