/** Records the exception that ends the process. */
import { context, SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api';
import { errorType } from './error-type.ts';
import { messageOf, originOf, recordException } from './exceptions.ts';
import { takeUncaught } from './loggers/log-lines.ts';
import { INSTRUMENTATION_SCOPE } from './recorders.ts';

const UNHANDLED_REJECTION = 'unhandled rejection';
const UNCAUGHT_EXCEPTION = 'uncaught exception';

/** True for a span that `recordUncaughtExceptions` has made. */
export function isUncaught({ name }: { readonly name: string }): boolean {
  return name === UNHANDLED_REJECTION || name === UNCAUGHT_EXCEPTION;
}

/**
 * Makes a span for each exception and rejection that nothing handles. It ends immediately, because spans that are open when
 * the process ends are not sent. It belongs to the span where the exception was recorded before. A monitor does not change what happens next.
 */
export function recordUncaughtExceptions(): void {
  process.on('uncaughtExceptionMonitor', (error: unknown, cause) => {
    const name = cause === 'unhandledRejection' ? UNHANDLED_REJECTION : UNCAUGHT_EXCEPTION;
    const origin = originOf(error);
    const parent = origin === undefined ? context.active() : trace.setSpan(context.active(), origin);
    const span = trace.getTracer(INSTRUMENTATION_SCOPE).startSpan(name, {}, parent);
    recordException(span, error);
    span.setAttribute('error.type', errorType(error));
    span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
    span.end();
    // The exception of a span that is not sampled is sent as a log record anyway.
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0) takeUncaught(name, error, span.spanContext());
  });
}
