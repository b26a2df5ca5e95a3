import { gzipSync, zstdCompressSync, deflateSync } from 'node:zlib';
import * as snappy from 'snappyjs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { PermanentError, RetryableError } from '../../../../src/engine/errors.ts';
import { WireWriter } from '../../../../src/engine/otlp/wire-writer.ts';
import { ReceiverUnderTest } from './receiver-under-test.ts';

let receiver: ReceiverUnderTest;

/** One span without content. */
const request = (() => {
  const writer = new WireWriter();
  writer.messageField(1, () => writer.messageField(2, () => writer.messageField(2, () => writer.stringField(5, 'a'))));
  return writer.finish();
})();
const json = '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"}]}]}]}';

beforeEach(async () => {
  receiver = await ReceiverUnderTest.start({ signals: ['traces'], http: { max_request_body_size: 1000 } });
});

afterEach(() => receiver[Symbol.asyncDispose]());

const post = (body: string | Uint8Array, headers: Record<string, string> = {}, path = '/v1/traces') =>
  fetch(receiver.httpUrl + path, {
    method: 'POST',
    body: typeof body === 'string' ? body : Buffer.from(body),
    headers: { 'content-type': typeof body === 'string' ? 'application/json' : 'application/x-protobuf', ...headers },
  });

it.each([
  ['identity', request],
  ['gzip', gzipSync(request)],
  ['deflate', deflateSync(request)],
  ['zlib', deflateSync(request)],
  ['zstd', zstdCompressSync(request)],
  ['snappy', snappy.compress(new Uint8Array(request))],
])('passes on the very bytes of a request in %s', async (encoding, body) => {
  const response = await post(body, { 'content-encoding': encoding });
  expect([response.status, await response.text()]).toEqual([200, '']);
  expect(receiver.batches.map(({ chunks, itemCount }) => [Buffer.concat(chunks), itemCount])).toEqual([
    [Buffer.from(request), 1],
  ]);
});

it('turns JSON into the bytes that protobuf has, and answers in JSON', async () => {
  const response = await post(json);
  expect([response.status, await response.text()]).toEqual([200, '{}']);
  expect(Buffer.concat(receiver.batches[0]?.chunks ?? [])).toEqual(Buffer.from(request));
});

it('describes the defect of a malformed request and its place', async () => {
  expect(await (await post('{"resourceSpans":[{"scopeSpans":7}]}')).json()).toEqual({
    code: 3,
    message: 'resourceSpans[0].scopeSpans must be an array',
  });
  const response = await post(request.subarray(0, -1));
  expect(response.status).toBe(400);
  expect(await response.text()).toContain('resource_spans claims');
});

it.each([
  ['another content type', () => post('x', { 'content-type': 'text/plain' }), 415],
  ['a signal without a pipeline', () => post(request, {}, '/v1/metrics'), 404],
  ['GET', () => fetch(`${receiver.httpUrl}/v1/traces`), 405],
  ['too large a body', () => post(new Uint8Array(1001)), 413],
  ['a bomb', () => post(gzipSync(new Uint8Array(1e6)), { 'content-encoding': 'gzip' }), 413],
  ['an unknown compression', () => post(request, { 'content-encoding': 'br' }), 400],
  ['a broken compression', () => post(request, { 'content-encoding': 'gzip' }), 400],
] as const)('refuses %s', async (_, send, status) => {
  expect((await send()).status).toBe(status);
  expect(receiver.batches).toEqual([]);
});

it('answers an unsupported compression with the names of the supported ones', async () => {
  const response = await post(json, { 'content-encoding': 'lz4' });
  expect([response.status, await response.json()]).toEqual([
    400,
    {
      code: 3,
      message: 'unsupported Content-Encoding: lz4; use none, gzip, deflate, zlib, zstd, snappy, x-snappy-framed',
    },
  ]);
  expect(await receiver.rejected()).toEqual({ 'http/unsupported_encoding': 1 });
});

it.each([
  [new RetryableError('queue_full', 'later', { retryAfterMs: 1500 }), 503, '2'],
  [new PermanentError('internal', 'never'), 500, null],
  [new Error('a defect'), 500, null],
])('answers %s of a pipeline', async (error, status, retryAfter) => {
  receiver.consume = async () => {
    throw error;
  };
  const response = await post(request);
  expect([response.status, response.headers.get('retry-after')]).toEqual([status, retryAfter]);
});
