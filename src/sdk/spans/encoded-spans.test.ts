import { createTraceState } from '@opentelemetry/api';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { expect, it } from 'vitest';
import { otlpTree } from '../../../tests/support/otlp/otlp-tree.ts';
import { sdkTelemetry } from '../../../tests/support/otlp/sdk-telemetry.ts';
import { EncodedSpans } from './encoded-spans.ts';

const [child, parent] = (await sdkTelemetry()).traces as [ReadableSpan, ReadableSpan];

/** Some properties of a span are getters. */
function changed(span: ReadableSpan, changes: Partial<ReadableSpan>): ReadableSpan {
  return Object.create(span, Object.getOwnPropertyDescriptors(changes)) as ReadableSpan;
}

function encoded(spans: readonly ReadableSpan[]): Uint8Array {
  const batch = new EncodedSpans();
  for (const span of spans) batch.add(span);
  expect(batch.count).toBe(spans.length);
  return batch.take(parent.resource);
}

const remote = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1, isRemote: true };

it.each<[name: string, spans: readonly ReadableSpan[]]>([
  ['of every kind of content', [child, parent]],
  ['of several scopes', [child, changed(parent, { instrumentationScope: { name: 'other' } }), child]],
  [
    'with a remote parent, a state and losses',
    [
      changed(child, {
        parentSpanContext: remote,
        spanContext: () => ({ ...remote, traceState: createTraceState('a=1,b=2') }),
        droppedAttributesCount: 3,
        droppedEventsCount: 2,
        droppedLinksCount: 1,
      }),
    ],
  ],
  ['with nested values', [changed(parent, { attributes: { a: { b: ['c', null, { d: 1.5 }], e: {} } } })]],
  ['with a long text', [changed(parent, { name: 'ä'.repeat(50), attributes: { text: 'a'.repeat(100_000) } })]],
])('has the same content as the serializer of the SDK for spans %s', (_name, spans) => {
  const expected = ProtobufTraceSerializer.serializeRequest([...spans])!;
  expect(otlpTree('traces', encoded(spans))).toEqual(otlpTree('traces', expected));
});

it('begins again after each request, and keeps the other spans if one cannot be encoded', () => {
  const batch = new EncodedSpans();
  batch.add(parent);
  const broken = changed(child, { name: undefined as never });
  expect(() => batch.add(broken)).toThrow(TypeError);
  expect(batch.count).toBe(1);
  expect(otlpTree('traces', batch.take(parent.resource))).toEqual(otlpTree('traces', encoded([parent])));
  batch.add(child);
  expect(otlpTree('traces', batch.take(parent.resource))).toEqual(otlpTree('traces', encoded([child])));
});
