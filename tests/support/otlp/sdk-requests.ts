import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import type { Signal } from '../../../src/engine/component.ts';
import { sdkTelemetry } from './sdk-telemetry.ts';

/** The same telemetry in both encodings, written by the SDK's serializers. */
export interface SdkRequest {
  readonly protobuf: Uint8Array;
  readonly json: Uint8Array;
}

export async function sdkRequests(): Promise<Readonly<Record<Signal, SdkRequest>>> {
  const { traces, metrics, logs } = await sdkTelemetry();
  return {
    traces: {
      protobuf: present(ProtobufTraceSerializer.serializeRequest(traces)),
      json: present(JsonTraceSerializer.serializeRequest(traces)),
    },
    metrics: {
      protobuf: present(ProtobufMetricsSerializer.serializeRequest(metrics)),
      json: present(JsonMetricsSerializer.serializeRequest(metrics)),
    },
    logs: {
      protobuf: present(ProtobufLogsSerializer.serializeRequest(logs)),
      json: present(JsonLogsSerializer.serializeRequest(logs)),
    },
  };
}

function present(bytes: Uint8Array | undefined): Uint8Array {
  if (bytes === undefined) throw new Error('the SDK has serialized nothing');
  return bytes;
}
