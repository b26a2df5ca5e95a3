/** Limits the series of the instrumentations: without views, no panel uses half of the series of a service. */
import {
  AggregationType,
  createAllowListAttributesProcessor,
  type AggregationOption,
  type ViewOptions,
} from '@opentelemetry/sdk-metrics';
import { answerSeconds, callSeconds, pauseSeconds } from '../metrics/third-party.ts';

/** A service has one scheme, and the version of HTTP is on the spans. */
const SERVER_LABELS = ['http.request.method', 'http.response.status_code', 'http.route', 'error.type'];

const allowed = createAllowListAttributesProcessor(SERVER_LABELS);

/** The preload's own measurements have no other labels. They are frozen, and stay the same objects. */
const serverLabels: typeof allowed = {
  process: (attributes, context) => (Object.isFrozen(attributes) ? attributes : allowed.process(attributes, context)),
};

/** The host is not a label, because many hosts are many series. Spans have the host. */
const CLIENT_LABELS = ['http.request.method', 'http.response.status_code', 'error.type'].flatMap((name) => [
  name,
  // The preload's own measurements have the names of Prometheus.
  name.replaceAll('.', '_'),
]);

export function views(): ViewOptions[] {
  return [
    {
      instrumentName: 'http.server.request.duration',
      attributesProcessors: [serverLabels],
      aggregation: bounded(answerSeconds),
    },
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

function bounded(boundaries: readonly number[]): AggregationOption {
  return { type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries: [...boundaries] } };
}
