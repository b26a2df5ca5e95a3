import { defaultTextMapGetter, defaultTextMapSetter, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { AlwaysOffSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { SelectivePropagator } from './selective-propagator.ts';

const propagator = new SelectivePropagator(new W3CTraceContextPropagator(), ['API.example.com', '.ours.test']);

/** Returns true if a request from a client span with this `server.address` has trace headers. */
function hasHeaders(address: string, provider = new TracerProvider()): boolean {
  const span = provider.getTracer('test').startSpan('GET', { attributes: { 'server.address': address } });
  const carrier: Record<string, string> = {};
  propagator.inject(trace.setSpan(ROOT_CONTEXT, span), carrier, defaultTextMapSetter);
  return 'traceparent' in carrier;
}

describe('trace headers', () => {
  it.each(['localhost', 'db.localhost', '127.0.0.1', '127.1.2.3', '::1', '[::1]', 'api.example.com', 'a.b.ours.test'])(
    'go to %s',
    (address) => expect(hasHeaders(address)).toBe(true),
  );

  it.each([
    'example.com',
    'xapi.example.com',
    'ours.test',
    'notours.test',
    '127.0.0.1.evil.test',
    'localhost.evil.test',
    '',
  ])('do not go to “%s”', (address) => expect(hasHeaders(address)).toBe(false));

  it('are not written for a span that is not recorded, because its host is unknown', () => {
    expect(hasHeaders('localhost', new TracerProvider({ sampler: new AlwaysOffSampler() }))).toBe(false);
  });

  it('are written when the application injects them in a span without a host', () => {
    const span = new TracerProvider().getTracer('test').startSpan('work');
    const carrier: Record<string, string> = {};
    propagator.inject(trace.setSpan(ROOT_CONTEXT, span), carrier, defaultTextMapSetter);
    expect(carrier['traceparent']).toContain(span.spanContext().traceId);
  });

  it('are read from every sender', () => {
    const carrier = { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` };
    const extracted = trace.getSpanContext(propagator.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter));
    expect(extracted).toMatchObject({ traceId: '1'.repeat(32), spanId: '2'.repeat(16) });
  });
});
