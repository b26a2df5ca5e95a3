import { describe, expect, it } from 'vitest';
import { startSentrySink } from '../../../../examples/sentry-sink/sentry-sink.ts';
import { spanId, TRACE_ID } from '../../../../tests/support/otlp/otlp-spans.ts';
import { child, root, sendAll } from './exporter-under-test.ts';

const failure = { name: 'exception', attributes: { 'exception.type': 'E', 'exception.message': 'm' } };
const request = {
  ...root,
  kind: 'server',
  attributes: {
    'http.request.method': 'GET',
    'http.route': '/users/:id',
    'url.scheme': 'https',
    'server.address': 'shop.test',
    'url.path': '/users/42',
    'url.query': 'token=hunter2&page=2',
    'client.address': '10.1.2.3',
    'user.id': '42',
    'http.request.header.user-agent': 'curl',
    'http.request.header.cookie': 'sid=1',
  },
} as const;

describe('an error event', () => {
  it('has the request and its user, without what is personal', async () => {
    await using sink = await startSentrySink();
    await sendAll(sink, [[request, { ...child, events: [failure] }]]);
    expect(sink.errors()).toMatchObject([{ transaction: 'GET /users/:id', user: { id: '42' } }]);
    expect(sink.errors()[0]!.request).toEqual({
      method: 'GET',
      url: 'https://shop.test/users/42',
      query_string: 'token=[Filtered]&page=2',
      headers: { 'user-agent': 'curl' },
    });
    expect(JSON.stringify([sink.errors(), sink.transactions()])).not.toMatch(/10\.1\.2\.3|sid=1|hunter2/);
  });

  it.each(['transactions', 'spans'])('has no secret of a text, and %s have none', async (protocol) => {
    await using sink = await startSentrySink();
    const text = 'GET /cb?token=hunter2';
    const attributes = {
      note: text,
      'exception.type': text,
      'exception.message': text,
      'exception.stacktrace': `Error: ${text}\n    at f (/app/a.js:1:2)`,
    };
    const events = ['exception', text].map((name) => ({ name, attributes }));
    const links = [{ traceId: TRACE_ID, spanId: spanId(5), attributes }];
    const draft = { name: text, statusMessage: text, attributes, events, links };
    await sendAll(
      sink,
      [
        [
          { ...root, ...draft },
          { ...child, ...draft },
        ],
      ],
      { protocol },
    );
    expect(sink.errors().length).toBeGreaterThan(0);
    expect(JSON.stringify([sink.errors(), sink.transactions(), sink.spans()])).not.toContain('hunter2');
  });

  it('has the address of the client with send_default_pii', async () => {
    await using sink = await startSentrySink();
    await sendAll(sink, [[{ ...request, events: [failure] }]], { send_default_pii: true });
    expect(sink.errors()).toMatchObject([{ user: { id: '42', ip_address: '10.1.2.3' } }]);
    expect(JSON.stringify(sink.errors())).not.toContain('abc');
  });

  it('has the other events of its trace as breadcrumbs', async () => {
    await using sink = await startSentrySink();
    const tried = { name: 'retry', attributes: { attempt: 2, message: 'again' } };
    await sendAll(sink, [[root, { ...child, events: [tried, failure] }]]);
    expect(sink.errors()[0]!.breadcrumbs!.values).toMatchObject([
      { category: 'retry', message: 'again', data: { attempt: 2 } },
    ]);
  });

  it.each([
    ['uncaught exception', 'onuncaughtexception'],
    ['unhandled rejection', 'onunhandledrejection'],
  ])('of an %s of the preload is fatal and unhandled', async (name, type) => {
    await using sink = await startSentrySink();
    await sendAll(sink, [[{ ...root, name, events: [failure] }]]);
    expect(sink.errors()).toMatchObject([
      { level: 'fatal', exception: { values: [{ mechanism: { type, handled: false } }] } },
    ]);
    expect(sink.problems()).toEqual([]);
  });
});
