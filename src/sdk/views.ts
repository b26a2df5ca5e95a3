/** Keeps few series of what the instrumentations measure: without them, half of a service's page is what no panel asks for. */
import { createRequire } from 'node:module';
import type { AggregationOption, ViewOptions } from '@opentelemetry/sdk-metrics';
import { callSeconds, pauseSeconds } from '../metrics/third-party.ts';

/** As the SDK itself is loaded. */
const require = createRequire(import.meta.url);

/** Hosts make a series for each of many shops: they are on spans, and latency by shop is `fetch.latency`. */
const OF_CALLS = ['http.request.method', 'http.response.status_code', 'error.type'];

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
      attributesProcessors: [createAllowListAttributesProcessor(OF_CALLS)],
      aggregation: bounded(callSeconds),
    },
    { instrumentName: 'v8js.gc.duration', aggregation: bounded(pauseSeconds) },
    // What is used of each space is kept; what V8 has set aside for it says little more.
    { instrumentName: 'v8js.memory.heap.space.*', aggregation: { type: AggregationType.DROP } },
  ];
}
