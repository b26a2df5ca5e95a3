import { expect, it } from 'vitest';
import { plainAttributes } from '../../support/otlp/otlp-capture.ts';
import { runObserved } from '../../support/processes/observed-script.ts';

/** A server that returns the trace headers which it received and would inject. All host names are its own. */
const script = `
  import { createServer, get } from 'node:http';
  import { once } from 'node:events';
  import { context, propagation } from '@opentelemetry/api';
  import dns from 'node:dns';
  const server = createServer((request, response) => {
    const injected = {};
    propagation.inject(context.active(), injected);
    const { traceparent } = request.headers;
    response.end(JSON.stringify({ received: { traceparent }, injected }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  dns.lookup = (host, options, done) => options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);
  for (const host of ['127.0.0.1', 'listed.test', 'other.test']) {
    console.log('fetch', host, await (await fetch('http://' + host + ':' + port)).text());
    const [response] = await once(get({ host, port, agent: false }), 'response');
    console.log('http', host, (await response.toArray()).join(''));
  }
  server.close();
  server.closeAllConnections();`;

interface Seen {
  readonly received: { readonly traceparent?: string };
  readonly injected: { readonly traceparent?: string };
}

function flagsOf({ traceparent }: { readonly traceparent?: string }): string | undefined {
  return traceparent?.slice(-2);
}

it.each([
  ['sampled', {}, '01'],
  ['not sampled', { OTEL_TRACES_SAMPLER: 'always_off' }, '00'],
])('sends the headers of a trace that is %s only to known hosts', async (_, environment, flags) => {
  await using observed = await runObserved(script, { SIPHON_PROPAGATE_TO_HOSTS: 'listed.test', ...environment });
  expect(observed.stderr).toBe('');
  const lines = observed.stdout.trim().split('\n');
  const summary = lines.map((line) => {
    const [client, host, json = ''] = line.split(/ (?=[^{}]+ |\{)/);
    const { received, injected } = JSON.parse(json) as Seen;
    return [client, host, flagsOf(received), flagsOf(injected)];
  });
  expect(summary, 'the application can always inject').toEqual([
    ['fetch', '127.0.0.1', flags, flags],
    ['http', '127.0.0.1', flags, flags],
    ['fetch', 'listed.test', flags, flags],
    ['http', 'listed.test', flags, flags],
    ['fetch', 'other.test', undefined, flags],
    ['http', 'other.test', undefined, flags],
  ]);
});

it('continues a trace of a browser with Sentry, and passes its baggage on unchanged', async () => {
  const traceId = '0123456789abcdef'.repeat(2);
  const baggage = 'sentry-environment=production,sentry-sample_rate=0.25,sentry-public_key=abc,other=1';
  await using observed = await runObserved(`
    import { createServer } from 'node:http';
    import { connect } from 'node:net';
    import { once } from 'node:events';
    const backend = createServer((incoming, response) => response.end(JSON.stringify(incoming.headers)));
    const frontend = createServer(async (incoming, response) => {
      const answer = await fetch('http://127.0.0.1:' + backend.address().port);
      response.end(await answer.text());
    });
    for (const server of [backend, frontend]) await once(server.listen(0, '127.0.0.1'), 'listening');
    // Not a client that the preload observes.
    const socket = connect(frontend.address().port, '127.0.0.1');
    const headers = ['Host: shop.test', 'Connection: close', 'sentry-trace: ${traceId}-${'a'.repeat(16)}-1', 'baggage: ${baggage}'];
    socket.write('GET / HTTP/1.1\\r\\n' + headers.join('\\r\\n') + '\\r\\n\\r\\n');
    console.log(Buffer.concat(await socket.toArray()).toString().split('\\r\\n\\r\\n')[1].match(/\\{.*\\}/)[0]);
    for (const server of [backend, frontend]) { server.close(); server.closeAllConnections(); }`);
  expect(observed.stderr).toBe('');
  const headers = JSON.parse(observed.stdout) as Record<string, string>;
  expect(headers['traceparent']).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
  expect(headers['sentry-trace']).toMatch(new RegExp(`^${traceId}-[0-9a-f]{16}-1$`));
  expect(headers['baggage']?.split(',').toSorted()).toEqual(baggage.split(',').toSorted());
  expect(new Set(observed.capture.spans().map(({ trace_id: id }) => id))).toEqual(new Set([traceId]));
  const [, received] =
    observed.capture
      .spans()
      .map(({ kind, attributes }) => [kind, plainAttributes(attributes)['sentry.dsc']] as const)
      .find(([kind]) => kind === 'SPAN_KIND_SERVER') ?? [];
  expect(received?.split(',').toSorted()).toEqual(
    baggage
      .split(',')
      .filter((member) => member.startsWith('sentry-'))
      .toSorted(),
  );
});
