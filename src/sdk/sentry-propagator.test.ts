import { defaultTextMapGetter, defaultTextMapSetter, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { CompositePropagator, suppressTracing, W3CTraceContextPropagator } from '@opentelemetry/core';
import { describe, expect, it } from 'vitest';
import { SentryPropagator } from './sentry-propagator.ts';

const propagator = new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new SentryPropagator()] });
const [traceId, spanId] = ['0123456789abcdef'.repeat(2), 'a'.repeat(16)];

function extracted(carrier: Record<string, string | string[]>) {
  return trace.getSpanContext(propagator.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter));
}

describe('sentry-trace', () => {
  it.each([
    [`${traceId}-${spanId}-1`, 1],
    [`${traceId}-${spanId}-0`, 0],
    [`${traceId}-${spanId}`, 1],
    [` ${traceId.toUpperCase()}-${spanId.toUpperCase()}-1\t`, 1],
  ])('continues the trace of “%s”', (header, traceFlags) => {
    expect(extracted({ 'sentry-trace': header })).toEqual({ traceId, spanId, traceFlags, isRemote: true });
    expect(extracted({ 'sentry-trace': [header, 'second'] })).toMatchObject({ traceId });
  });

  it.each([
    '',
    'nonsense',
    `${traceId}-${spanId}-2`,
    `${'0'.repeat(32)}-${spanId}-1`,
    `${traceId}-${'0'.repeat(16)}-1`,
  ])('is ignored when it is “%s”', (header) => expect(extracted({ 'sentry-trace': header })).toBeUndefined());

  it('has less priority than traceparent', () => {
    const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-00`;
    const carrier = { traceparent, 'sentry-trace': `${traceId}-${spanId}-1` };
    expect(extracted(carrier)).toMatchObject({ traceId: '1'.repeat(32), traceFlags: 0 });
    expect(extracted({ ...carrier, traceparent: 'nonsense' })).toMatchObject({ traceId });
  });

  it('is written with the sampling decision, and not while tracing is suppressed', () => {
    const written = (traceFlags: number, context = ROOT_CONTEXT): string | undefined => {
      const carrier: Record<string, string> = {};
      const active = trace.setSpanContext(context, { traceId, spanId, traceFlags });
      propagator.inject(active, carrier, defaultTextMapSetter);
      return carrier['sentry-trace'];
    };
    expect(written(1)).toBe(`${traceId}-${spanId}-1`);
    expect(written(0)).toBe(`${traceId}-${spanId}-0`);
    expect(written(1, suppressTracing(ROOT_CONTEXT))).toBeUndefined();
  });
});
