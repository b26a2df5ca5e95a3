import { Client, credentials } from '@grpc/grpc-js';
import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { prometheusExporterConfig } from '../../../../src/components/exporters/prometheus/config.ts';
import { prometheusExporter } from '../../../../src/components/exporters/prometheus/factory.ts';
import { memoryLimiterConfig } from '../../../../src/components/processors/memory-limiter/config.ts';
import { memoryLimiterProcessor } from '../../../../src/components/processors/memory-limiter/factory.ts';
import { otlpReceiverConfig } from '../../../../src/components/receivers/otlp/config.ts';
import { otlpReceiver } from '../../../../src/components/receivers/otlp/factory.ts';
import { Collector } from '../../../../src/engine/pipeline/collector.ts';
import { collectorConfig } from '../../../support/components/collector-config.ts';
import { logLines } from '../../../support/components/log-lines.ts';
import { gaugesRequest } from '../../../support/otlp/gauges-request.ts';

const LOCAL = { endpoint: '127.0.0.1:0' };

/** `otlp` and `memory_limiter`, and two pages. The second has room for two series. */
async function startSidecar() {
  const { logger, lines } = logLines();
  const page = { ...LOCAL, without_scope_info: true };
  const collector = new Collector(
    collectorConfig({
      factories: {
        otlp: otlpReceiver,
        memory_limiter: memoryLimiterProcessor,
        large: prometheusExporter,
        small: prometheusExporter,
      },
      configs: {
        otlp: v.parse(otlpReceiverConfig, { protocols: { http: LOCAL, grpc: LOCAL } }),
        memory_limiter: v.parse(memoryLimiterConfig, { check_interval: '1s', limit_mib: 10_000 }),
        large: v.parse(prometheusExporterConfig, page),
        small: v.parse(prometheusExporterConfig, { ...page, max_series: 2 }),
      },
      pipelines: { metrics: { receivers: ['otlp'], processors: ['memory_limiter'], exporters: ['large', 'small'] } },
      metricsPort: 0,
    }),
    { version: '1.2.3', logger },
  );
  await collector.start();
  const endpoint = (id: string, transport?: string): string =>
    lines.find((line) => line['msg'] === 'Listening' && line['id'] === id && line['transport'] === transport)?.[
      'endpoint'
    ] as string;
  return { collector, endpoint };
}

type Answer = (endpoint: string, request: Uint8Array) => Promise<unknown>;

const overHttp: Answer = async (endpoint, request) => {
  const answer = await post(endpoint, 'application/x-protobuf', request);
  expect(answer.status).toBe(200);
  return ProtobufMetricsSerializer.deserializeResponse(new Uint8Array(await answer.arrayBuffer()));
};

const same = (bytes: Buffer): Buffer => bytes;

const overGrpc: Answer = async (endpoint, request) => {
  const client = new Client(endpoint, credentials.createInsecure());
  const path = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';
  const response = await new Promise<Buffer>((resolve, reject) => {
    client.makeUnaryRequest(path, same, same, Buffer.from(request), (error, body) =>
      error === null ? resolve(body ?? Buffer.alloc(0)) : reject(error),
    );
  });
  client.close();
  return ProtobufMetricsSerializer.deserializeResponse(response);
};

function post(endpoint: string, type: string, body: Uint8Array | string): Promise<Response> {
  const headers = { 'content-type': type };
  return fetch(`http://${endpoint}/v1/metrics`, { method: 'POST', headers, body: Buffer.from(body) });
}

test('a sender learns how many of its points are not on a page, and why', { timeout: 60_000 }, async () => {
  const { collector, endpoint } = await startSidecar();
  const [http, grpc] = [endpoint('otlp', 'http'), endpoint('otlp', 'grpc')];
  const request = gaugesRequest({ names: ['level'], values: ['1', '2', '3', '4', '5'] });
  const partialSuccess = {
    rejectedDataPoints: 3,
    errorMessage: 'data points are not on the scrape page: 3 max_series',
  };
  const fits = gaugesRequest({ names: ['level'], values: ['1', '2'] });
  for (const [send, address] of [
    [overHttp, http],
    [overGrpc, grpc],
  ] as const) {
    expect(await send(address, fits)).toEqual({});
    expect(await send(address, request)).toEqual({ partialSuccess });
  }
  const taken = { name: 'level', histogram: { aggregationTemporality: 2, dataPoints: [{ count: '1' }, {}] } };
  const conflict = JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics: [taken] }] }] });
  const text = 'data points are not on the scrape page: 2 type_conflict';
  expect(await (await post(http, 'application/json', conflict)).json()).toEqual({
    partialSuccess: { rejectedDataPoints: '2', errorMessage: `${text}; ${text}` },
  });
  const page = await (await fetch(`http://${endpoint('metrics')}/metrics`)).text();
  // Once on the way in, once for each page.
  expect(valuesOf(page, 'otelcol_receiver_accepted_metric_points')).toEqual([9, 7]);
  expect(valuesOf(page, 'otelcol_receiver_refused_metric_points')).toEqual([0, 0]);
  expect(valuesOf(page, 'siphon_prometheus_dropped_points', 'reason="max_series"')).toEqual([0, 6]);
  expect(valuesOf(page, 'siphon_prometheus_dropped_points', 'reason="type_conflict"')).toEqual([2, 2]);
  expect(valuesOf(page, 'siphon_ledger_difference_items')).toEqual([0, 0, 0]);
  await collector.shutdown(AbortSignal.timeout(2000));
});

/** The values of all samples of a metric that have this label. */
function valuesOf(page: string, name: string, label = ''): number[] {
  const lines = page.split('\n').filter((line) => line.startsWith(`${name}{`) && line.includes(label));
  return lines.map((line) => Number(line.split(' ').at(-1)));
}
