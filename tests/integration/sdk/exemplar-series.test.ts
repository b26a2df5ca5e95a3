import { ROOT_CONTEXT, trace, type Context } from '@opentelemetry/api';
import {
  AggregationTemporality,
  AggregationType,
  createAllowListAttributesProcessor,
  MeterProvider,
  MetricReader,
  type ViewOptions,
} from '@opentelemetry/sdk-metrics';
import { expect, it } from 'vitest';
import { messageToObject } from '../../../src/engine/otlp/message-to-object.ts';
import { MetricsSerializer } from '../../../src/sdk/metrics-serializer.ts';
import { recordExemplars } from '../../../src/sdk/exemplars/record-exemplars.ts';

class ManualReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {
    return;
  }
  protected override async onShutdown(): Promise<void> {
    return;
  }
}

function setUp({ views = [], temporality = AggregationTemporality.CUMULATIVE }: Partial<Settings> = {}) {
  const reader = new ManualReader({
    aggregationTemporalitySelector: () => temporality,
    cardinalitySelector: () => 3,
  });
  const provider = new MeterProvider({ readers: [reader], views });
  const before = provider.getMeter('before').createCounter('before');
  recordExemplars(provider);
  return { provider, before, reader };
}

interface Settings {
  readonly views: ViewOptions[];
  readonly temporality: AggregationTemporality;
}

/** The number is the id of the span. */
function within(id: number): Context {
  const spanId = id.toString(16).padStart(16, '0');
  return trace.setSpanContext(ROOT_CONTEXT, { traceId: spanId.repeat(2), spanId, traceFlags: 1 });
}

/** The points with exemplars of the request: name, values of the attributes, and the spans with their values. */
async function exported(reader: ManualReader): Promise<string[]> {
  const { resourceMetrics } = await reader.collect();
  const request = MetricsSerializer.serializeRequest(resourceMetrics);
  const { resource_metrics: resources } = messageToObject(
    'ExportMetricsServiceRequest',
    request!,
  ) as unknown as Decoded;
  const metrics = resources.flatMap(({ scope_metrics: scopes }) => scopes.flatMap((scope) => scope.metrics));
  return metrics.flatMap(({ name, sum, histogram, exponential_histogram: exponential }) =>
    (sum ?? histogram ?? exponential)!.data_points.map(({ attributes = [], exemplars = [] }) => {
      const values = attributes.map(({ value }) => String(Object.values(value)[0]));
      const links = exemplars.map(({ span_id, trace_id, as_double }) => {
        expect(trace_id).toBe(span_id.repeat(2));
        return `${Number.parseInt(span_id, 16)}=${as_double}`;
      });
      return [name, ...values, '→', ...links].join(' ');
    }),
  );
}

interface Points {
  readonly data_points: readonly {
    readonly attributes?: readonly { readonly value: object }[];
    readonly exemplars?: readonly { readonly span_id: string; readonly trace_id: string; readonly as_double: number }[];
  }[];
}
type Kind = 'sum' | 'histogram' | 'exponential_histogram';
interface Decoded {
  readonly resource_metrics: readonly {
    readonly scope_metrics: readonly {
      readonly metrics: readonly ({ readonly name: string } & { readonly [K in Kind]?: Points })[];
    }[];
  }[];
}

it('observes instruments that exist and those that come later, in the series of the SDK', async () => {
  const { provider, before, reader } = setUp();
  before.add(2, { a: 1, b: 2 }, within(1));
  before.add(3, { b: 2, a: 1 }, within(300));
  const meter = provider.getMeter('later');
  for (const a of [1, 2, 3, 4]) meter.createCounter('later').add(1, { a }, within(a));
  meter.createUpDownCounter('ups').add(1, {}, within(1));
  meter.createGauge('gauge');
  expect(await exported(reader)).toEqual([
    'before 1 2 → 300=3',
    'later 1 → 1=1',
    'later 2 → 2=1',
    // The SDK counts the series above its limit in one.
    'later true → 4=1',
    'ups →',
  ]);
  expect(await exported(reader), 'again').toEqual(expect.arrayContaining(['before 1 2 → 300=3', 'later true → 4=1']));
});

it('follows views: their attributes, their boundaries, several of them, and exponential histograms', async () => {
  const views: ViewOptions[] = [
    { instrumentName: 'two', name: 'all', aggregation: { type: AggregationType.SUM } },
    {
      instrumentName: 'two',
      name: 'few',
      attributesProcessors: [createAllowListAttributesProcessor(['a'])],
      aggregation: { type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries: [1, 2] } },
    },
    { instrumentName: 'native', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } },
    { instrumentName: 'dropped', aggregation: { type: AggregationType.DROP } },
  ];
  const { provider, reader } = setUp({ views });
  const meter = provider.getMeter('views');
  const two = meter.createHistogram('two');
  two.record(1, { a: 1, b: 1 }, within(1));
  two.record(2, { a: 1, b: 2 }, within(2));
  two.record(9, { a: 1, b: 2 }, within(3));
  meter.createHistogram('native').record(5, {}, within(4));
  meter.createHistogram('dropped').record(5, {}, within(5));
  expect(await exported(reader)).toEqual(['all 1 1 → 1=1', 'all 1 2 → 3=9', 'few 1 → 1=1 2=2 3=9', 'native → 4=5']);
});

it('keeps exemplars out of later deltas', async () => {
  const { provider, reader } = setUp({ temporality: AggregationTemporality.DELTA });
  const counter = provider.getMeter('delta').createCounter('delta');
  counter.add(1, {}, within(1));
  // The next interval begins in another millisecond.
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await exported(reader)).toEqual(['delta → 1=1']);
  counter.add(1);
  expect(await exported(reader)).toEqual(['delta →']);
});
