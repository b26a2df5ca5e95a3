import { gzipSync } from 'node:zlib';
import * as snappy from 'snappyjs';
import { expect, it } from 'vitest';
import { spansBatch } from '../../../support/components/batches.ts';
import { ReceiverUnderTest } from './receiver-under-test.ts';

const spans = Buffer.from(spansBatch(['a']).chunks[0] as Uint8Array);

function post(receiver: ReceiverUnderTest, headers: Record<string, string> = {}, body = spans): Promise<Response> {
  const type = { 'content-type': 'application/x-protobuf' };
  return fetch(`${receiver.httpUrl}/v1/traces`, { method: 'POST', body, headers: { ...type, ...headers } });
}

it('sends the response_headers with every answer', async () => {
  await using receiver = await ReceiverUnderTest.start({
    http: { response_headers: { 'X-Frame-Options': 'DENY', 'Content-Type': 'text/html' } },
  });
  const answers = [await post(receiver), await post(receiver, {}, Buffer.from('x')), await fetch(receiver.httpUrl)];
  expect(answers.map(({ status, headers }) => [status, headers.get('x-frame-options')])).toEqual([
    [200, 'DENY'],
    [400, 'DENY'],
    [404, 'DENY'],
  ]);
  expect(answers[0]?.headers.get('content-type')).toBe('application/x-protobuf');
});

it('takes only the compressions that compression_algorithms names', async () => {
  await using receiver = await ReceiverUnderTest.start({ http: { compression_algorithms: ['snappy', ''] } });
  const compressed = snappy.compress(new Uint8Array(spans));
  const answers = [
    await post(receiver),
    await post(receiver, { 'content-encoding': 'snappy' }, Buffer.from(compressed)),
    await post(receiver, { 'content-encoding': 'gzip' }, gzipSync(spans)),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 400]);
  expect(receiver.batches.map(({ chunks }) => Buffer.concat(chunks).equals(spans))).toEqual([true, true]);
  expect(await answers[2]?.text()).toContain('unsupported Content-Encoding: gzip; use none, snappy');
});

it.each([
  ['https://shop.example.com', ['X-Key'], 'Accept, Content-Type, X-Requested-With, Content-Encoding, X-Key'],
  ['https://shop.example.com', ['*'], 'Accept, Content-Type, X-Requested-With, Content-Encoding, x-any,x-other'],
  ['https://example.org', ['X-Key'], null],
])('lets a browser on %s send %s', async (origin, allowed_headers, allowed) => {
  const cors = { allowed_origins: ['https://*.example.com'], allowed_headers, max_age: 60 };
  await using receiver = await ReceiverUnderTest.start({ http: { cors } });
  const { status, headers } = await fetch(`${receiver.httpUrl}/v1/traces`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'x-any,x-other',
    },
  });
  expect([status, headers.get('access-control-allow-headers')]).toEqual([204, allowed]);
  expect(headers.get('access-control-allow-origin')).toBe(allowed === null ? null : origin);
});

it('logs the ignored keys once at startup', async () => {
  await using receiver = await ReceiverUnderTest.start({
    http: { include_metadata: true },
    grpc: { include_metadata: true, read_buffer_size: 524_288 },
  });
  const told = receiver.log.lines.filter(({ keys }) => keys !== undefined).map(({ keys }) => keys);
  expect(told).toEqual([['include_metadata'], ['include_metadata', 'read_buffer_size']]);
  await using plain = await ReceiverUnderTest.start({ http: { include_metadata: false } });
  expect(plain.log.lines.filter(({ keys }) => keys !== undefined)).toEqual([]);
});

it('waits for ever for a sender where read_timeout and read_header_timeout are 0, as the stock receiver does', async () => {
  await using receiver = await ReceiverUnderTest.start({
    http: { read_timeout: 0, read_header_timeout: 0, idle_timeout: 0 },
  });
  expect((await post(receiver)).status).toBe(200);
});
