/** OTLP exporters for the SDK that do not keep the process alive. */
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import {
  ExportResultCode,
  getNumberFromEnv,
  getStringFromEnv,
  getStringListFromEnv,
  suppressTracing,
  type ExportResult,
} from '@opentelemetry/core';
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import { OTLPMetricExporterBase } from '@opentelemetry/exporter-metrics-otlp-http';
import { convertLegacyHttpOptions } from '@opentelemetry/otlp-exporter-base/node-http';
import type { IOtlpExportDelegate } from '@opentelemetry/otlp-exporter-base';
import type { ISerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { NodeSDK } from '@opentelemetry/sdk-node';
import { BackgroundDelivery, MAX_WAITING, type DeliveryOptions, type Destination } from './background-delivery.ts';
import type { LastRequest, Pending } from './last-delivery.ts';
import { LastMetricsReader } from './last-metrics.ts';
import { MetricsSerializer } from './metrics-serializer.ts';
import { EncodingSpanProcessor } from './spans/encoding-processor.ts';
import { UnreachedEndpoints } from './unreached-endpoints.ts';

type SdkOptions = NonNullable<ConstructorParameters<typeof NodeSDK>[0]>;

export interface BackgroundExporters {
  /** Queues log records for delivery; calls `onLost` if the queue is full. Undefined where the environment sends them otherwise, or no spans. */
  readonly exportLogs: ((records: ReadableLogRecord[], onLost?: () => void) => void) | undefined;
  /** Options for NodeSDK, which sets up every missing part from the environment. */
  readonly options: Pick<SdkOptions, 'spanProcessors' | 'metricReaders'>;
  /** Queues an export after which receivers do not show the last state of this process any more. */
  withdrawStates(): void;
  /** Resolves when all previous exports are delivered or dropped. */
  delivered(): Promise<void>;
  /** Returns the exports that are not answered. Spans must have been flushed to the exporter. */
  pending(): Pending;
  /** False if an exporter of NodeSDK sends a signal: {@link pending} does not know its exports. */
  readonly sendAll: boolean;
}

/**
 * Creates one exporter for each signal that the environment sends over OTLP with HTTP and protobuf, which is the
 * default. NodeSDK creates the exporters for gRPC, JSON, the console and others.
 */
export function createBackgroundExporters(): BackgroundExporters {
  const traces = usesHttpProtobuf('traces') ? createSpanExport() : undefined;
  const metrics = usesHttpProtobuf('metrics') ? createMetricExporter() : undefined;
  const logs = traces !== undefined && usesHttpProtobuf('logs') ? createLogDelegate() : undefined;
  const reader = metrics === undefined ? undefined : createMetricReader(metrics.exporter);
  const exportMetrics = (last: ResourceMetrics | undefined): void => {
    if (metrics !== undefined && last !== undefined) exportUnobserved(metrics.delegate, last);
  };
  return {
    options: {
      ...(traces === undefined ? {} : { spanProcessors: [traces.processor] }),
      ...(reader === undefined ? {} : { metricReaders: [reader] }),
    },
    exportLogs: logs && ((records, onLost) => exportUnobserved(logs, records, onLost)),
    delivered: async () =>
      void (await Promise.all([traces?.delivery.flush(), metrics?.delegate.forceFlush(), logs?.forceFlush()])),
    withdrawStates: () => exportMetrics(reader?.withdrawStates()),
    pending: () => {
      exportMetrics(reader?.collectNow());
      exportMetrics(reader?.withdrawStates());
      const pending = [traces?.delivery, metrics?.delegate, logs].flatMap((signal) => signal?.pending() ?? []);
      return {
        unsent: pending.flatMap(({ unsent }) => unsent),
        unanswered: pending.flatMap(({ unanswered }) => unanswered),
      };
    },
    sendAll: (traces !== undefined || isOff('traces')) && (metrics !== undefined || isOff('metrics')),
  };
}

/** The request must not become a span of whatever runs now. */
function exportUnobserved<Items>(delegate: IOtlpExportDelegate<Items>, items: Items, onLost?: () => void): void {
  context.with(suppressTracing(ROOT_CONTEXT), () => {
    delegate.export(items, ({ code }) => code === ExportResultCode.FAILED && onLost?.());
  });
}

type Signal = LastRequest['signal'];

function isOff(signal: Signal): boolean {
  return getStringListFromEnv(`OTEL_${signal.toUpperCase()}_EXPORTER`)?.includes('none') ?? false;
}

function usesHttpProtobuf(signal: Signal): boolean {
  // The exporter of logs is that of the application's log records, and off by default.
  const name = signal.toUpperCase();
  const exporters = signal === 'logs' ? [] : (getStringListFromEnv(`OTEL_${name}_EXPORTER`) ?? []);
  const protocol =
    getStringFromEnv(`OTEL_EXPORTER_OTLP_${name}_PROTOCOL`) ?? getStringFromEnv('OTEL_EXPORTER_OTLP_PROTOCOL');
  return exporters.every((exporter) => exporter === 'otlp') && (protocol ?? 'http/protobuf') === 'http/protobuf';
}

const unreached = new UnreachedEndpoints();

/** Spans may arrive in any order. */
function createSpanExport() {
  const delivery = new BackgroundDelivery(destinationOf('traces'), {
    signal: 'traces',
    parallel: MAX_WAITING,
    unreached,
  });
  const maxQueueSize = positive('OTEL_BSP_MAX_QUEUE_SIZE', 2048);
  const processor = new EncodingSpanProcessor((body) => delivery.enqueue(body), {
    maxQueueSize,
    maxExportBatchSize: Math.min(positive('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512), maxQueueSize),
    scheduledDelayMillis: Math.max(0, getNumberFromEnv('OTEL_BSP_SCHEDULE_DELAY') ?? 5000),
  });
  return { delivery, processor };
}

function destinationOf(signal: Signal): Destination {
  const headers = { 'Content-Type': 'application/x-protobuf' };
  return convertLegacyHttpOptions({}, signal.toUpperCase(), `v1/${signal}`, headers);
}

function createLogDelegate() {
  return new BackgroundDelegate(ProtobufLogsSerializer, { signal: 'logs', parallel: MAX_WAITING, unreached });
}

function createMetricExporter() {
  const delegate = new BackgroundDelegate(MetricsSerializer, {
    signal: 'metrics',
    parallel: 1,
    unreached,
  });
  return { delegate, exporter: new OTLPMetricExporterBase(delegate) };
}

/** NodeSDK reads these two variables only if it creates the exporter. */
function createMetricReader(exporter: OTLPMetricExporterBase) {
  const exportIntervalMillis = positive('OTEL_METRIC_EXPORT_INTERVAL', 60_000);
  const exportTimeoutMillis = Math.min(positive('OTEL_METRIC_EXPORT_TIMEOUT', 30_000), exportIntervalMillis);
  return new LastMetricsReader({ exporter, exportIntervalMillis, exportTimeoutMillis });
}

function positive(name: string, fallback: number): number {
  const value = getNumberFromEnv(name);
  return value !== undefined && value > 0 ? value : fallback;
}

/** Encodes an export and queues it. For the SDK a queued export is a success, because timers of the SDK would keep the process alive. */
class BackgroundDelegate<Items, Response> implements IOtlpExportDelegate<Items> {
  readonly #serializer: ISerializer<Items, Response>;
  readonly #delivery: BackgroundDelivery;

  constructor(serializer: ISerializer<Items, Response>, options: DeliveryOptions) {
    this.#serializer = serializer;
    this.#delivery = new BackgroundDelivery(destinationOf(options.signal), options);
  }

  export(items: Items, done: (result: ExportResult) => void): void {
    const body = this.#serializer.serializeRequest(items);
    if (body === undefined || this.#delivery.enqueue(body)) done({ code: ExportResultCode.SUCCESS });
    else done({ code: ExportResultCode.FAILED, error: new Error('too many exports wait for the OTLP endpoint') });
  }

  async forceFlush(): Promise<void> {
    await this.#delivery.flush();
  }

  pending(): Pending {
    return this.#delivery.pending();
  }

  async shutdown(): Promise<void> {
    await this.#delivery.flush();
  }

  /** The SDK's metrics about its exporters: not recorded. */
  setMetrics(): void {
    return;
  }
}
