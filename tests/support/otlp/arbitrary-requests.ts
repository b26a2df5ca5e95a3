import * as fc from 'fast-check';
import type { Signal } from '../../../src/engine/component.ts';
import { protobufFromJson } from '../../../src/engine/otlp/json/protobuf-from-json.ts';

/** Requests of a signal with up to a few dozen items, in several resources, scopes and metrics. Some of these are empty. */
export function arbitraryRequests(signal: Signal): fc.Arbitrary<Uint8Array> {
  return requests[signal].map((request) => protobufFromJson(signal, Buffer.from(JSON.stringify(request))));
}

const attributes = fc
  .uniqueArray(fc.constantFrom('region', 'shop', 'route'), { maxLength: 2 })
  .chain((keys) => fc.tuple(...keys.map((key) => fc.record({ key: fc.constant(key), value: value() }))));

function value(): fc.Arbitrary<unknown> {
  return fc.oneof(fc.record({ stringValue: fc.string({ maxLength: 200 }) }), fc.record({ intValue: fc.nat() }));
}

/** Every field in both orders: a resource may come after its items. */
function block(fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> {
  return fc
    .tuple(fc.record(fields), fc.boolean())
    .map(([content, reversed]) => (reversed ? Object.fromEntries(Object.entries(content).toReversed()) : content));
}

const some = (item: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> => fc.array(item, { maxLength: 4 });
const resource = fc.record({ attributes });
const scope = fc.record({ name: fc.constantFrom('http', 'pg') });
const schemaUrl = fc.constantFrom('', 'https://example.com/1');
const time = fc.integer({ min: 1, max: 1e9 }).map(String);

const span = fc.record({ name: fc.string({ minLength: 1, maxLength: 300 }), attributes });
const logRecord = fc.record({ timeUnixNano: time, attributes });
const numberPoint = fc.record({ timeUnixNano: time, attributes, asDouble: fc.integer() });
const histogramPoint = fc.record({ timeUnixNano: time, attributes, explicitBounds: fc.constant([1, 2]) });
const otherPoint = fc.record({ timeUnixNano: time, attributes });

function metric(data: string, point: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return block({ name: fc.constantFrom('latency', 'orders'), [data]: block({ dataPoints: some(point) }) });
}

const metrics = fc.oneof(
  metric('gauge', numberPoint),
  metric('sum', numberPoint),
  metric('histogram', histogramPoint),
  metric('exponentialHistogram', otherPoint),
  metric('summary', otherPoint),
);

const requests: Readonly<Record<Signal, fc.Arbitrary<unknown>>> = {
  traces: fc.record({
    resourceSpans: some(block({ resource, scopeSpans: some(block({ scope, spans: some(span), schemaUrl })) })),
  }),
  logs: fc.record({
    resourceLogs: some(block({ resource, scopeLogs: some(block({ scope, logRecords: some(logRecord), schemaUrl })) })),
  }),
  metrics: fc.record({
    resourceMetrics: some(block({ resource, scopeMetrics: some(block({ scope, metrics: some(metrics), schemaUrl })) })),
  }),
};
