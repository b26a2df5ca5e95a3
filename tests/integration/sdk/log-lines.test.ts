import { expect, it } from 'vitest';
import { plainAttributes, type CapturedRecord } from '../../support/otlp/otlp-capture.ts';
import { runObserved } from '../../support/processes/observed-script.ts';

/** On a machine that may be busy. */
const patient = { SIPHON_FLUSH_TIMEOUT_MS: '5000' };

const SECRET = 'hunter2';

interface Line {
  readonly severity: string | undefined;
  readonly body: string;
  readonly ids: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
}

function lineOf({ severity_text: severity, body, trace_id, span_id, attributes }: CapturedRecord): Line {
  return {
    severity,
    body: body?.string_value ?? '',
    ids: [trace_id, span_id].filter((id) => id !== undefined),
    attributes: plainAttributes(attributes),
  };
}

function linesWithoutIds(text: string): string[] {
  return text
    .replaceAll(/"(?:trace|span)_id":"\w+"/g, '')
    .split('\n')
    .toSorted();
}

const logs = `
  import { createRequire } from 'node:module';
  import { trace } from '@opentelemetry/api';
  const pino = createRequire(import.meta.url)('pino');
  const logger = pino({ redact: ['card'], base: { pid: 1, team: 'roast' }, timestamp: () => ',"time":1' });
  logger.info('outside');
  trace.getTracer('t').startActiveSpan('work', (span) => {
    logger.child({ module: 'shop' }).warn({ card: '${SECRET}', count: 3, req: { method: 'GET', headers: { authorization: '${SECRET}' } } }, 'sold %s', 'beans');
    const error = new TypeError('no milk', { cause: new Error('no cow') });
    logger.error(error);
    logger.fatal({ err: error, nothing: null }, 'closed');
    logger.debug('below the level');
    span.end();
  });
  logger.info('x'.repeat(1024 * 1024));
`;

it('sends lines of pino as log records, with the ids of the span and the error, and leaves the output', async () => {
  await using run = await runObserved(logs, patient);
  await using without = await runObserved(logs, { ...patient, OTEL_LOGS_EXPORTER: 'none' });
  expect(run.code).toBe(0);
  expect(linesWithoutIds(run.stdout)).toEqual(linesWithoutIds(without.stdout));
  expect(run.stdout.split('\n')).toHaveLength(6);
  expect(without.capture.records()).toEqual([]);
  const lines = run.capture.records().map(lineOf);
  expect(lines.map(({ severity, body }) => `${severity} ${body.slice(0, 10)}`)).toEqual([
    'INFO outside',
    'WARN sold beans',
    'ERROR no milk',
    'FATAL closed',
    'INFO xxxxxxxxxx',
  ]);
  const [outside, sold, failed, closed, long] = lines;
  expect(outside?.ids).toEqual([]);
  expect(outside?.attributes).toEqual({ team: 'roast' });
  const [span] = run.capture.spans();
  for (const line of [sold, failed, closed]) expect(line?.ids).toEqual([span?.trace_id, span?.span_id]);
  expect(sold?.attributes).toEqual({
    team: 'roast',
    module: 'shop',
    card: '[Redacted]',
    count: '3',
    'req.method': 'GET',
    'req.headers.authorization': '[Filtered]',
  });
  expect(failed?.attributes).toEqual({
    team: 'roast',
    'exception.type': 'TypeError',
    'exception.message': 'no milk',
    'exception.stacktrace': expect.stringMatching(/^TypeError: no milk\n {4}at [\s\S]*\[cause\]: Error: no cow\n/),
  });
  expect(closed?.attributes['exception.message']).toBe('no milk');
  expect(long?.body).toHaveLength(16 * 1024);
  expect(JSON.stringify(lines)).not.toContain(SECRET);
});

it('sends an exception that ends the process as a log record before it ends', async () => {
  await using run = await runObserved(`setTimeout(() => { throw new RangeError('no beans'); });`, patient);
  expect(run.code).toBe(1);
  const [span] = run.capture.spans();
  const [line, ...others] = run.capture.records().map(lineOf);
  expect(others).toEqual([]);
  expect(line).toMatchObject({
    severity: 'FATAL',
    body: 'uncaught exception',
    ids: [span?.trace_id, span?.span_id],
    attributes: { 'exception.type': 'RangeError', 'exception.message': 'no beans' },
  });
});

it('drops lines when too many wait, and reports the number', async () => {
  await using run = await runObserved(
    `
    import { createRequire } from 'node:module';
    const logger = createRequire(import.meta.url)('pino')({}, { write() {} });
    for (let i = 0; i < 6000; i++) logger.info(i);
  `,
    patient,
  );
  const lines = run.capture.records().map(lineOf);
  expect(lines).toHaveLength(4097);
  expect(lines.at(-1)?.attributes).toEqual({ 'siphon.lost_log_lines': '1904' });
});

it('sends lines of console if the environment asks for it, and prints them as before', async () => {
  const script = `console.error('no %s', 'milk', new RangeError('none')); console.log({ cups: 3 });`;
  await using run = await runObserved(script, { ...patient, SIPHON_SEND_CONSOLE_LINES: 'true' });
  expect(run.stdout).toBe('{ cups: 3 }\n');
  const [failed, told] = run.capture.records().map(lineOf);
  expect(failed).toMatchObject({ severity: 'ERROR', attributes: { 'exception.message': 'none' } });
  expect(failed?.body).toMatch(/^no milk RangeError: none\n/);
  expect(told).toMatchObject({ severity: 'INFO', body: '{ cups: 3 }' });
  await using other = await runObserved(script, patient);
  expect(other.capture.records()).toEqual([]);
});

it('knows other names of the message, the error and the fields of a call', async () => {
  await using run = await runObserved(
    `
    import { createRequire } from 'node:module';
    const pino = createRequire(import.meta.url)('pino');
    const named = pino({ messageKey: 'message', errorKey: 'error' });
    named.error(new RangeError('one'));
    named.child({ a: 1 }).info({ message: 'two', empty: {}, list: [1, 2] });
    pino({ nestedKey: 'payload' }).error(new RangeError('three'));
    pino().info({ msg: 'four' });
    pino({ formatters: { level: (label) => ({ level: label }) }, customLevels: { notice: 35 } }).notice('five');
    process.exit(0);`,
    patient,
  );
  const lines = run.capture.records().map(lineOf);
  const { 'exception.stacktrace': _, ...first } = lines[0]?.attributes ?? {};
  expect(first).toEqual({ 'exception.type': 'RangeError', 'exception.message': 'one' });
  expect(lines.map(({ severity, body }) => `${severity} ${body}`)).toEqual([
    'ERROR one',
    'INFO two',
    'ERROR three',
    'INFO four',
    'INFO five',
  ]);
  expect(lines[1]?.attributes).toEqual({ a: '1', 'list.0': '1', 'list.1': '2' });
  expect(lines[2]?.attributes['exception.message']).toBe('three');
});
