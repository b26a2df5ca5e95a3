import {
  ROOT_CONTEXT,
  SeverityNumber,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  ValueType,
} from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import {
  AggregationTemporality,
  AggregationType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace';

/** The telemetry that an instrumented service passes to its exporters, with every kind of content that the SDK can produce. */
export interface SdkTelemetry {
  readonly traces: ReadableSpan[];
  readonly metrics: ResourceMetrics;
  readonly logs: ReadableLogRecord[];
}

/** The items of each signal in `sdkTelemetry()`. */
export const SDK_ITEMS = { traces: 2, metrics: 7, logs: 2 } as const;

const attributes = {
  text: 'größer ☕ 😀',
  empty: '',
  int: -5,
  large: 2 ** 40,
  double: 0.1,
  bool: false,
  list: ['a', 'b'],
  numbers: [1, 2.5],
};

const resource = resourceFromAttributes({ 'service.name': 'coffee', ...attributes });

export async function sdkTelemetry(): Promise<SdkTelemetry> {
  return { traces: await spans(), metrics: await metrics(), logs: await logs() };
}

async function spans(): Promise<ReadableSpan[]> {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ resource, spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const tracer = provider.getTracer('tracer', '1.2.3', { schemaUrl: 'https://example.com/schema' });
  const parent = tracer.startSpan('parent', { kind: SpanKind.SERVER, attributes });
  const link = { context: { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: TraceFlags.SAMPLED } };
  const child = tracer.startSpan('child', { links: [{ ...link, attributes }] }, trace.setSpan(ROOT_CONTEXT, parent));
  child.addEvent('event', attributes);
  child.recordException(new Error('broken'));
  child.setStatus({ code: SpanStatusCode.ERROR, message: 'broken' });
  child.end();
  parent.end();
  await provider.forceFlush();
  const finished = [...exporter.getFinishedSpans()];
  await provider.shutdown();
  return finished;
}

async function metrics(): Promise<ResourceMetrics> {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const exponential = { type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { maxSize: 20 } } as const;
  const views = [{ instrumentName: 'exponential', aggregation: exponential }];
  const provider = new MeterProvider({ resource, readers: [reader], views });
  const meter = provider.getMeter('meter', '0.1');
  meter.createCounter('counter', { unit: '1', description: 'counts' }).add(3, attributes);
  meter.createCounter('double', { valueType: ValueType.DOUBLE }).add(0.25, { a: 1 });
  meter.createUpDownCounter('level', { valueType: ValueType.INT }).add(-7, attributes);
  const gauge = meter.createGauge('gauge');
  gauge.record(-1.5, { which: 'a' });
  gauge.record(1e300, { which: 'b' });
  const histogram = meter.createHistogram('histogram', {
    unit: 's',
    advice: { explicitBucketBoundaries: [0.1, 1, 10] },
  });
  for (const value of [0.05, 0.5, 50]) histogram.record(value, attributes);
  for (const value of [-3, 0, 0.001, 1, 1e6]) meter.createHistogram('exponential').record(value);
  await reader.forceFlush();
  const [collected] = exporter.getMetrics();
  await provider.shutdown();
  if (collected === undefined) throw new Error('the SDK has exported no metrics');
  return collected;
}

async function logs(): Promise<ReadableLogRecord[]> {
  const exporter = new InMemoryLogRecordExporter();
  const processor = new SimpleLogRecordProcessor({ exporter });
  const provider = new LoggerProvider({ resource, processors: [processor] });
  const logger = provider.getLogger('logger');
  const body = { nested: { list: [1, 'two', null, true], bytes: new Uint8Array([0, 255]) } };
  logger.emit({ severityNumber: SeverityNumber.ERROR, severityText: 'ERROR', body, attributes, eventName: 'event' });
  logger.emit({ body: 'text', context: trace.setSpanContext(ROOT_CONTEXT, spanContext) });
  await provider.forceFlush();
  const records = [...exporter.getFinishedLogRecords()];
  await provider.shutdown();
  return records;
}

const spanContext = { traceId: '3'.repeat(32), spanId: '4'.repeat(16), traceFlags: TraceFlags.SAMPLED };
