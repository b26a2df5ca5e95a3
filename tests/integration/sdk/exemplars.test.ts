import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { plainAttributes, type CapturedSpan, type OtlpCapture } from '../../support/otlp/otlp-capture.ts';
import { runObserved, runObservedFile } from '../../support/processes/observed-script.ts';
import { startTestPostgres } from '../../support/postgres/test-postgres.ts';

/** `npm run simulate:exemplars` has more. */
const ROUNDS = Number(process.env['SIPHON_EXEMPLAR_ROUNDS'] ?? 1);
const SERIES_PER_ROUND = { http: 3 * 400, statements: 200 };
const LOAD = fileURLToPath(new URL('../../support/processes/exemplar-load.mjs', import.meta.url));

const SCHEMA = `
  create table row (a int);
  insert into row values (1);
  create function fail(state text, seconds float) returns int language plpgsql as
  $$ begin perform pg_sleep(seconds); raise using errcode = state; end $$`;

interface Link {
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spanId: string;
  readonly traceId: string;
  readonly value: number;
}

function linksIn(capture: OtlpCapture): Link[] {
  return capture.metrics().flatMap(({ name, histogram, sum }) =>
    [...(histogram?.data_points ?? []), ...(sum?.data_points ?? [])].flatMap(({ attributes, exemplars = [] }) =>
      exemplars.map(({ span_id: spanId, trace_id: traceId, as_double: value }) => ({
        metric: name,
        labels: plainAttributes(attributes),
        spanId,
        traceId,
        value,
      })),
    ),
  );
}

/** The method, and the status that the number in the path asks for. */
function requestOf(span: CapturedSpan): string {
  const { 'http.request.method': method, 'url.path': path, 'url.full': url = '' } = plainAttributes(span.attributes);
  return `${span.kind} ${method} ${200 + Number((path ?? new URL(url).pathname).slice(1))}`;
}

/** The request or statement that a series measures, and the one of a span. */
const TRUTH: Readonly<Record<string, readonly [(labels: Link['labels']) => string, (span: CapturedSpan) => string]>> = {
  'http.server.request.duration': [
    (labels) => `SPAN_KIND_SERVER ${labels['http.request.method']} ${labels['http.response.status_code']}`,
    requestOf,
  ],
  'http.client.request.duration': [
    (labels) => `SPAN_KIND_CLIENT ${labels['http.request.method']} ${labels['http.response.status_code']}`,
    requestOf,
  ],
  'db.client.operation.duration': [
    (labels) => `${labels['db.operation.name']} ${labels['error.type']}`,
    ({ attributes }) => {
      const { 'db.query.text': text = '', 'db.operation.name': verb } = plainAttributes(attributes);
      return `${verb} ${/fail\('(\w+)'/.exec(text)?.[1]}`;
    },
  ],
  served: [(labels) => `SPAN_KIND_SERVER ${labels['method']} ${labels['status']}`, requestOf],
};

it(
  'links every measurement to the span that it measures, with concurrent requests on few connections',
  { timeout: 60_000 + 20_000 * ROUNDS },
  async () => {
    await using postgres = await startTestPostgres({ schema: false });
    await postgres.sql(SCHEMA);
    await using run = await runObservedFile([LOAD, postgres.url, String(ROUNDS)], {
      SIPHON_SEND_PERSONAL_DATA: 'true',
      OTEL_BSP_MAX_QUEUE_SIZE: '100000',
    });
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: '' });
    const spans = new Map(run.capture.spans().map((span) => [span.span_id, span]));
    const links = linksIn(run.capture);
    const wrong = links.filter(({ metric, labels, spanId, traceId }) => {
      const span = spans.get(spanId);
      const [measured, done] = TRUTH[metric] ?? [() => metric, () => ''];
      return span === undefined || span.trace_id !== traceId || measured(labels) !== done(span);
    });
    expect(wrong.slice(0, 3)).toEqual([]);
    // Successful statements are one series, with few exemplars.
    const own = links.filter(({ metric, labels }) => !metric.startsWith('db.') || 'error.type' in labels);
    const distinct = new Set(own.map(({ metric, spanId }) => `${metric} ${spanId}`));
    expect(distinct.size).toBe((SERIES_PER_ROUND.http + SERIES_PER_ROUND.statements) * ROUNDS);
  },
);

const spanAndMeasurements = `
  import { metrics, trace, context } from '@opentelemetry/api';
  const counter = metrics.getMeter('own').createCounter('own.count');
  const histogram = metrics.getMeter('own').createHistogram('own.seconds', { advice: { explicitBucketBoundaries: [1, 10] } });
  const tracer = trace.getTracer('own');
  const within = (name, body) => tracer.startActiveSpan(name, (span) => { body(); span.end(); });
  // An export does not keep the process alive.
  const exported = async () => {
    const alive = setInterval(() => undefined, 1000);
    await metrics.getMeterProvider().forceFlush();
    clearInterval(alive);
  };`;

/** The names of the spans that the exemplars of the last export refer to. */
function lastLinks(capture: OtlpCapture, metric: string): string[] {
  const names = new Map(capture.spans().map(({ span_id, name }) => [span_id, name]));
  const last = capture.metrics().findLast(({ name }) => name === metric);
  const points = last?.histogram?.data_points ?? last?.sum?.data_points ?? [];
  return points.flatMap(({ exemplars = [] }) =>
    exemplars.map(({ span_id, as_double }) => `${names.get(span_id)} ${as_double}`),
  );
}

it('keeps the newest and the slowest of each bucket until they are replaced, across exports', async () => {
  await using run = await runObserved(`${spanAndMeasurements}
    within('slowest', () => histogram.record(9));
    within('between', () => histogram.record(2));
    within('newest', () => histogram.record(3));
    within('fast', () => histogram.record(0.5));
    within('first', () => counter.add(1));
    within('second', () => counter.add(1));
    await exported();
    await exported();
    histogram.record(0.1);
    await exported();`);
  expect(run.stderr).toBe('');
  expect(lastLinks(run.capture, 'own.seconds').toSorted()).toEqual(['fast 0.5', 'newest 3', 'slowest 9']);
  expect(lastLinks(run.capture, 'own.count')).toEqual(['second 1']);
});

it('links no measurement whose span has ended, is not sampled or belongs to another process', async () => {
  await using run = await runObserved(
    `${spanAndMeasurements}
    const remote = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1, isRemote: true };
    context.with(trace.setSpanContext(context.active(), remote), () => counter.add(1));
    counter.add(1, {}, trace.setSpanContext(context.active(), remote));
    let later;
    within('ended', () => { later = new Promise((resolve) => setTimeout(() => resolve(counter.add(1)), 10)); });
    await later;
    counter.add(1);
    counter.add(1, {}, null);
    counter.add(1, {}, {});
    await exported();
    console.log('done');`,
  );
  expect({ stderr: run.stderr, stdout: run.stdout }).toEqual({ stderr: '', stdout: 'done\n' });
  expect(lastLinks(run.capture, 'own.count')).toEqual([]);
  expect(run.capture.metrics().filter(({ name }) => name === 'own.count')).not.toEqual([]);
});

it.each([{ OTEL_METRICS_EXEMPLAR_FILTER: 'always_off' }, { OTEL_TRACES_SAMPLER: 'always_off' }])(
  'writes no exemplars with %j',
  async (environment) => {
    await using run = await runObserved(
      `${spanAndMeasurements} within('a', () => histogram.record(9)); await exported();`,
      environment,
    );
    expect(run.stderr).toBe('');
    expect(lastLinks(run.capture, 'own.seconds')).toEqual([]);
    expect(run.capture.metrics().filter(({ name }) => name === 'own.seconds')).not.toEqual([]);
  },
);
