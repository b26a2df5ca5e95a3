/** The preload removes secrets and personal attributes before a span leaves the process. */
import { expect, it } from 'vitest';
import { plainAttributes } from '../../support/otlp/otlp-capture.ts';
import { runObserved } from '../../support/processes/observed-script.ts';

/** Only its form shows that it is secret. */
const TOKEN = 'a8f3s3cretb7d2e9c4';

const script = `
  const TOKEN = '${TOKEN}';
  import { createServer, get } from 'node:http';
  import { once } from 'node:events';
  import { trace, context } from '@opentelemetry/api';
  const server = createServer((request, response) => response.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = 'http://127.0.0.1:' + server.address().port;
  await (await fetch(origin + '/orders?token=s3cret-1&page=2')).text();
  await new Promise((resolve) => get('http://user:s3cret-2@127.0.0.1:' + server.address().port + '/?api_key=s3cret-3', (response) => response.resume().on('end', resolve)));
  await (await fetch(origin + '/reset/' + TOKEN + '/done;sid=s3cret-9')).text();
  await (await fetch(origin + '/api/42/envelope/?sentry_key=s3cret-4', { method: 'POST' })).text();
  server.close();
  server.closeAllConnections();
  const span = trace.getTracer('test').startSpan('GET http://user:s3cret-5@host.test/sessions/' + TOKEN, {
    attributes: {
      'db.system.name': 'postgresql',
      'db.query.text': "select * from users where name = 's3cret-6' and age > 42",
      'http.request.header.authorization': ['Bearer s3cret-7'],
      'client.address': '10.0.0.1',
      own: 'kept',
    },
  });
  span.recordException(new Error('cannot connect to postgresql://user:s3cret-8@host.test/db'));
  span.end();`;

it('removes credentials, secret query values, literals of statements, and personal attributes', async () => {
  await using run = await runObserved(script);
  expect(run).toMatchObject({ code: 0, stderr: '' });
  const spans = run.capture.spans();
  expect(JSON.stringify([spans, run.capture.metrics()])).not.toMatch(/s3cret/);
  const urls = spans
    .map(({ attributes }) => plainAttributes(attributes)['url.full'])
    .filter((url) => url !== undefined);
  expect(urls.map((url) => url.replace(/:\d+\//, ':PORT/')).toSorted()).toEqual([
    'http://127.0.0.1:PORT/orders?token=[Filtered]&page=2',
    'http://127.0.0.1:PORT/reset/[Filtered]/done;sid=[Filtered]',
    'http://[Filtered]@127.0.0.1:PORT/?api_key=[Filtered]',
  ]);
  const own = spans.at(-1);
  expect(own?.name).toBe('GET http://[Filtered]@host.test/sessions/[Filtered]');
  expect(plainAttributes(own?.attributes)).toEqual({
    'db.system.name': 'postgresql',
    'db.query.text': 'select * from users where name = ? and age > ?',
    'http.request.header.authorization': '[Filtered]',
    own: 'kept',
  });
  expect(run.capture.resourceAttribute('process.pid')).not.toEqual([]);
  expect(run.capture.resourceAttribute('process.command_args')).toEqual([]);
  expect(run.capture.resourceAttribute('process.owner')).toEqual([]);
});

it('lets personal attributes through if the environment asks for it, but no secrets', async () => {
  await using run = await runObserved(script, { SIPHON_SEND_PERSONAL_DATA: 'true' });
  const own = plainAttributes(run.capture.spans().at(-1)?.attributes);
  expect(own).toMatchObject({ 'client.address': '10.0.0.1', 'http.request.header.authorization': '[Filtered]' });
  expect(own['db.query.text']).toContain('age > 42');
  expect(run.capture.resourceAttribute('process.command_args')).not.toEqual([]);
  expect(JSON.stringify(run.capture.spans())).not.toMatch(/s3cret-[1234578]/);
});
