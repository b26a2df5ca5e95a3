/** The preload sends all errors, and how a trace was sampled. */
import { expect, it } from 'vitest';
import { plainAttributes } from '../../support/otlp/otlp-capture.ts';
import { runObserved } from '../../support/processes/observed-script.ts';

const script = `
  import { createServer } from 'node:http';
  import { once } from 'node:events';
  import { trace } from '@opentelemetry/api';
  const tracer = trace.getTracer('test');
  const server = createServer((request, response) => {
    trace.getActiveSpan().setAttribute('http.route', '/cups/:id');
    tracer.startActiveSpan('brew', (span) => {
      span.recordException(new RangeError('no beans'));
      span.end();
    });
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  await (await fetch('http://127.0.0.1:' + server.address().port + '/cups/1?token=s3cret')).text();
  server.close();
  server.closeAllConnections();
  setTimeout(() => { throw new TypeError('no milk'); });`;

/** The process ends with a crash, on a machine that may be busy. */
const patient = { SIPHON_FLUSH_TIMEOUT_MS: '5000' };

it('sends the errors of unsampled spans as log records that are named after the request', async () => {
  await using run = await runObserved(script, { ...patient, OTEL_TRACES_SAMPLER: 'always_off' });
  expect(run.code).toBe(1);
  expect(run.capture.spans()).toEqual([]);
  const records = run.capture.records();
  expect(JSON.stringify(records)).not.toContain('s3cret');
  const named = records.map(({ severity_number, attributes }) => ({ severity_number, ...plainAttributes(attributes) }));
  expect(named).toMatchObject([
    {
      severity_number: 'SEVERITY_NUMBER_ERROR',
      'sentry.segment.name': 'GET /cups/:id',
      'http.route': '/cups/:id',
      'exception.type': 'RangeError',
      'exception.message': 'no beans',
    },
    {
      severity_number: 'SEVERITY_NUMBER_FATAL',
      'sentry.segment.name': 'uncaught exception',
      'exception.type': 'TypeError',
      'exception.message': 'no milk',
    },
  ]);
  expect(new Set(records.map(({ trace_id: id }) => id)).size).toBe(2);
  expect(records.every(({ span_id: id }) => /^[0-9a-f]{16}$/.test(id))).toBe(true);
});

it('sends the errors of sampled spans with them, and only the one that ends the process as a log record, too', async () => {
  await using run = await runObserved(script, patient);
  expect(run.capture.records()).toMatchObject([{ severity_number: 'SEVERITY_NUMBER_FATAL' }]);
  const exceptions = run.capture.spans().flatMap(({ events = [] }) => events);
  expect(exceptions).toHaveLength(2);
});

it('records the sample rate of a trace that begins here', async () => {
  await using run = await runObserved(
    `
    import { trace } from '@opentelemetry/api';
    for (let n = 0; n < 200; n++) trace.getTracer('test').startSpan('run').end();`,
    {
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.5',
    },
  );
  const rates = run.capture.spans().map(({ attributes }) => plainAttributes(attributes)['sentry.sample_rate']);
  expect(rates.length).toBeGreaterThan(50);
  expect(new Set(rates)).toEqual(new Set(['0.5']));
});
