/**
 * `npm run bench:exemplars`: what exemplars add to a measurement within a sampled span. Two meter providers of the SDK take
 * turns, one of them with exemplars, because other activity on the machine should affect both equally.
 */
import { context, trace } from '@opentelemetry/api';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { recordExemplars } from '../../src/sdk/exemplars/record-exemplars.ts';
import { median } from './median.ts';

const ROUNDS = 41;
const MEASUREMENTS = 50_000;
const LIMIT_US = 0.3;

/** The bounds are those of `http.server.request.duration`. */
const boundaries = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const labels = { 'http.request.method': 'GET', 'http.response.status_code': 200, 'http.route': '/users/:id' };

function createRecorders(isObserved: boolean) {
  const exporter = new OTLPMetricExporter({ url: 'http://127.0.0.1:1' });
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e9, exportTimeoutMillis: 1e9 });
  const provider = new MeterProvider({ readers: [reader] });
  if (isObserved) recordExemplars(provider);
  const meter = provider.getMeter('bench');
  const histogram = meter.createHistogram('seconds', { advice: { explicitBucketBoundaries: boundaries } });
  const counter = meter.createCounter('count');
  return {
    histogram: (value: number) => histogram.record(value, labels),
    counter: () => counter.add(1, labels),
  };
}

new NodeSDK({ spanProcessors: [noProcessor()], metricReaders: [] }).start();
const [bare, observed] = [createRecorders(false), createRecorders(true)];
const tracer = trace.getTracer('bench');

let isAboveLimit = false;
for (const kind of ['histogram', 'counter'] as const) {
  const addedUs: number[] = [];
  const bareUs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const [without, withExemplars] =
      round % 2 === 0
        ? [timed(bare[kind]), timed(observed[kind])]
        : [timed(observed[kind]), timed(bare[kind])].toReversed();
    bareUs.push(without as number);
    addedUs.push((withExemplars as number) - (without as number));
  }
  const added = median(addedUs);
  isAboveLimit ||= added > LIMIT_US;
  process.stdout.write(
    `${kind}: ${median(bareUs).toFixed(3)} µs for a measurement, ${added.toFixed(3)} µs more with exemplars\n`,
  );
}
if (isAboveLimit) process.stdout.write(`The limit is ${LIMIT_US} µs.\n`);
process.exit(isAboveLimit ? 1 : 0);

/** Returns µs for each measurement. Each tenth has a span of its own, as measurements of requests have. */
function timed(record: (value: number) => void): number {
  let spentMs = 0;
  for (let i = 0; i < MEASUREMENTS; i += 10) {
    const span = tracer.startSpan('span');
    context.with(trace.setSpan(context.active(), span), () => {
      const startMs = performance.now();
      for (let j = 0; j < 10; j++) record(((i + j) % 1000) / 100);
      spentMs += performance.now() - startMs;
    });
    span.end();
  }
  return (spentMs * 1000) / MEASUREMENTS;
}

/** Drops the spans, which are sampled. */
function noProcessor() {
  return { onStart: nothing, onEnd: nothing, forceFlush: nothingLater, shutdown: nothingLater };
}

function nothing(): void {
  return;
}

async function nothingLater(): Promise<void> {
  return;
}
