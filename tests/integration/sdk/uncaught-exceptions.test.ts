import { expect, it } from 'vitest';
import { plainAttributes } from '../../support/otlp/otlp-capture.ts';
import { runObserved } from '../../support/processes/observed-script.ts';

it('records what nothing catches, with its cause, and leaves the rest to the service', async () => {
  await using run = await runObserved(`
    process.on('uncaughtException', ({ message }) => console.log('handled', message));
    setTimeout(() => { throw new RangeError('no coffee', { cause: new Error('no beans') }); });
    setTimeout(() => void Promise.reject(new TypeError('no milk')), 50);`);
  expect(run).toMatchObject({ code: 0, stderr: '', stdout: 'handled no coffee\nhandled no milk\n' });
  const recorded = run.capture.spans().map(({ name, attributes, events = [], status }) => {
    const [exception] = events.map((event) => plainAttributes(event.attributes));
    const { 'error.type': type } = plainAttributes(attributes);
    return { name, type, code: status?.code, message: exception?.['exception.message'], exception };
  });
  expect(recorded).toMatchObject([
    { name: 'uncaught exception', type: 'RangeError', code: 'STATUS_CODE_ERROR', message: 'no coffee' },
    { name: 'unhandled rejection', type: 'TypeError', code: 'STATUS_CODE_ERROR', message: 'no milk' },
  ]);
  expect(recorded[0]?.exception?.['exception.stacktrace']).toContain('[cause]: Error: no beans');
});

it('does not change how the process ends', async () => {
  await using run = await runObserved(`setTimeout(() => { throw new RangeError('no coffee'); });`);
  expect(run.code).toBe(1);
  expect(run.stderr).toContain('RangeError: no coffee');
});

it('records an exception of a request in the trace of the request', async () => {
  await using run = await runObserved(`
    import { createServer } from 'node:http';
    import { once } from 'node:events';
    process.on('uncaughtException', () => server.closeAllConnections());
    const server = createServer(() => { throw new RangeError('no coffee'); }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    await fetch('http://127.0.0.1:' + server.address().port).catch(() => undefined);
    server.close();`);
  const spans = run.capture.spans();
  const uncaught = spans.find(({ name }) => name === 'uncaught exception');
  const request = spans.find(({ kind }) => kind === 'SPAN_KIND_SERVER');
  expect(uncaught).toMatchObject({ trace_id: request?.trace_id, parent_span_id: request?.span_id });
});
