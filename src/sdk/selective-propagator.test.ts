import {
  defaultTextMapGetter,
  defaultTextMapSetter,
  ROOT_CONTEXT,
  SpanKind,
  trace,
  type Span,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { AlwaysOffSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { RequestTargets } from './request-targets.ts';
import { SelectivePropagator } from './selective-propagator.ts';

const targets = new RequestTargets();
const propagator = new SelectivePropagator(new W3CTraceContextPropagator(), targets, ['API.example.com', '.ours.test']);

function injected(span: Span): string | undefined {
  const carrier: Record<string, string> = {};
  propagator.inject(trace.setSpan(ROOT_CONTEXT, span), carrier, defaultTextMapSetter);
  return carrier['traceparent'];
}

/** The trace headers of a request to this host. */
function headersTo(host: string, provider = new TracerProvider()): string | undefined {
  const span = provider.getTracer('test').startSpan('GET');
  targets.set(span, host);
  return injected(span);
}

describe('trace headers', () => {
  it.each(['localhost', 'db.localhost', '127.0.0.1', '127.1.2.3', '::1', '[::1]', 'api.example.com', 'a.b.ours.test'])(
    'go to %s',
    (host) => expect(headersTo(host)).toMatch(/-01$/),
  );

  it.each([
    'example.com',
    'xapi.example.com',
    'ours.test',
    'notours.test',
    '127.0.0.1.evil.test',
    'localhost.evil.test',
    '',
  ])('do not go to “%s”', (host) => expect(headersTo(host)).toBeUndefined());

  it('say that a trace is not sampled', () => {
    const provider = new TracerProvider({ sampler: new AlwaysOffSampler() });
    expect(headersTo('localhost', provider)).toMatch(/-00$/);
    expect(headersTo('example.com', provider)).toBeUndefined();
  });

  it('are written for what is not a request of an instrumented client, also in a request for another host', () => {
    const options = { kind: SpanKind.SERVER, attributes: { 'server.address': 'shop.example.com' } };
    const span = new TracerProvider().getTracer('test').startSpan('GET', options);
    expect(injected(span)).toContain(span.spanContext().traceId);
  });

  it('are read from every sender', () => {
    const carrier = { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` };
    const extracted = trace.getSpanContext(propagator.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter));
    expect(extracted).toMatchObject({ traceId: '1'.repeat(32), spanId: '2'.repeat(16) });
  });
});
