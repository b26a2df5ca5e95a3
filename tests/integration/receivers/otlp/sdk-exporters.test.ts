import { diag, DiagLogLevel } from '@opentelemetry/api';
import { OTLPLogExporter as LogsGrpc } from '@opentelemetry/exporter-logs-otlp-grpc';
import { OTLPLogExporter as LogsJson } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as LogsProto } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter as MetricsGrpc } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { OTLPMetricExporter as MetricsJson } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as MetricsProto } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as TracesGrpc } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as TracesJson } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as TracesProto } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import type { Signal } from '../../../../src/engine/component.ts';
import { otlpTree } from '../../../support/otlp/otlp-tree.ts';
import { SDK_ITEMS, sdkTelemetry, type SdkTelemetry } from '../../../support/otlp/sdk-telemetry.ts';
import { ReceiverUnderTest } from './receiver-under-test.ts';

let receiver: ReceiverUnderTest;
let telemetry: SdkTelemetry;
const complaints: unknown[] = [];
const complain = (...message: unknown[]): void => void complaints.push(message);

beforeAll(async () => {
  receiver = await ReceiverUnderTest.start();
  telemetry = await sdkTelemetry();
  diag.setLogger(
    { error: complain, warn: complain, info: complain, debug: complain, verbose: complain },
    DiagLogLevel.WARN,
  );
});

afterAll(async () => {
  diag.disable();
  await receiver[Symbol.asyncDispose]();
});

afterEach(() => vi.unstubAllEnvs());

interface SdkExporter<Items> {
  export(items: Items, done: (result: { readonly code: number; readonly error?: Error }) => void): void;
  shutdown(): Promise<void>;
}

/** Rejects unless the exporter reports that the receiver has accepted everything. */
async function send<Items>(exporter: SdkExporter<Items>, items: Items): Promise<void> {
  const done = Promise.withResolvers<void>();
  exporter.export(items, ({ code, error }) =>
    code === 0 ? done.resolve() : done.reject(error ?? new Error('failed')),
  );
  await done.promise;
  await exporter.shutdown();
}

const exporters = {
  'http/protobuf': { traces: TracesProto, metrics: MetricsProto, logs: LogsProto },
  'http/json': { traces: TracesJson, metrics: MetricsJson, logs: LogsJson },
  grpc: { traces: TracesGrpc, metrics: MetricsGrpc, logs: LogsGrpc },
} as const;

type Protocol = keyof typeof exporters;

/** The request as the SDK encodes it in protobuf. */
function expectedTree(signal: Signal): unknown {
  const serialized = {
    traces: () => ProtobufTraceSerializer.serializeRequest(telemetry.traces),
    metrics: () => ProtobufMetricsSerializer.serializeRequest(telemetry.metrics),
    logs: () => ProtobufLogsSerializer.serializeRequest(telemetry.logs),
  }[signal]();
  return otlpTree(signal, serialized ?? new Uint8Array());
}

it.each(
  (['http/protobuf', 'http/json', 'grpc'] as const).flatMap((protocol: Protocol) =>
    (['none', 'gzip'] as const).map((compression) => [protocol, compression] as const),
  ),
)("takes what the SDK's exporters send over %s with compression %s", async (protocol, compression) => {
  vi.stubEnv('OTEL_EXPORTER_OTLP_COMPRESSION', compression);
  const transport = protocol === 'grpc' ? 'grpc' : 'http';
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', `http://${receiver.endpoint(transport)}`);
  receiver.batches.length = 0;
  const { traces: Traces, metrics: Metrics, logs: Logs } = exporters[protocol];
  await send(new Traces(), telemetry.traces);
  await send(new Metrics(), telemetry.metrics);
  await send(new Logs(), telemetry.logs);
  const counts = receiver.batches.map(({ signal, itemCount }) => [signal, itemCount]);
  expect(counts).toEqual(Object.entries(SDK_ITEMS));
  for (const { signal, chunks } of receiver.batches) {
    expect(otlpTree(signal, Buffer.concat(chunks))).toEqual(expectedTree(signal));
  }
  expect([await receiver.rejected(), complaints]).toEqual([{}, []]);
});
