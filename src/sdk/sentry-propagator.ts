/** The header `sentry-trace`, which Sentry's SDKs send from browsers and other services. */
import {
  isSpanContextValid,
  trace,
  TraceFlags,
  type Context,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
} from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';

const HEADER = 'sentry-trace';

/** Trace, span, and optionally whether it is sampled. Source: https://develop.sentry.dev/sdk/foundations/trace-propagation/ */
const VALUE = /^\s*([0-9a-f]{32})-([0-9a-f]{16})(?:-([01]))?\s*$/i;

/**
 * Continues traces of Sentry's SDKs, and sends them on. Use it after the propagator of `traceparent`, which has priority.
 * Sentry's sampling context is part of `baggage` and passes with it.
 */
export class SentryPropagator implements TextMapPropagator {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const spanContext = trace.getSpanContext(context);
    if (spanContext === undefined || isTracingSuppressed(context) || !isSpanContextValid(spanContext)) return;
    const { traceId, spanId, traceFlags } = spanContext;
    setter.set(carrier, HEADER, `${traceId}-${spanId}-${traceFlags & TraceFlags.SAMPLED}`);
  }

  /** A sender that leaves the sampling to us sends no flag; its trace is sampled. */
  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    if (trace.getSpanContext(context)?.isRemote === true) return context;
    const [header] = [getter.get(carrier, HEADER)].flat();
    const [, traceId, spanId, isSampled = '1'] = VALUE.exec(header ?? '') ?? [];
    if (traceId === undefined || spanId === undefined) return context;
    const spanContext = {
      traceId: traceId.toLowerCase(),
      spanId: spanId.toLowerCase(),
      traceFlags: isSampled === '1' ? TraceFlags.SAMPLED : TraceFlags.NONE,
      isRemote: true,
    };
    return isSpanContextValid(spanContext) ? trace.setSpanContext(context, spanContext) : context;
  }

  fields(): string[] {
    return [HEADER];
  }
}
