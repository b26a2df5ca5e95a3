/** Limits the series of the instrumentations: without views, no panel uses half of the series of a service. */
import { createRequire } from 'node:module';
import type { AggregationOption, ViewOptions } from '@opentelemetry/sdk-metrics';
import { callSeconds, pauseSeconds } from '../metrics/third-party.ts';

/** Loads the same build of the SDK as `service-observer.ts`. */
const require = createRequire(import.meta.url);

/** The host is not a label, because many hosts are many series. Spans have the host. */
const CLIENT_LABELS = ['http.request.method', 'http.response.status_code', 'error.type'];

export function views(): ViewOptions[] {
  const { AggregationType, createAllowListAttributesProcessor } =
    require('@opentelemetry/sdk-metrics') as typeof import('@opentelemetry/sdk-metrics');
  const bounded = (boundaries: readonly number[]): AggregationOption => ({
    type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM,
    options: { boundaries: [...boundaries] },
  });
  return [
    {
      instrumentName: 'http.client.request.duration',
      attributesProcessors: [createAllowListAttributesProcessor(CLIENT_LABELS)],
      aggregation: bounded(callSeconds),
    },
    { instrumentName: 'v8js.gc.duration', aggregation: bounded(pauseSeconds) },
    // The used part of each heap space is kept. The reserved part adds little information.
    { instrumentName: 'v8js.memory.heap.space.*', aggregation: { type: AggregationType.DROP } },
  ];
}
