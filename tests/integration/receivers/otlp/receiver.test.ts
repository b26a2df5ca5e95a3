import { gzipSync, zstdCompressSync, deflateSync } from 'node:zlib';
import { metrics } from '@opentelemetry/api';
import { pino } from 'pino';
import * as v from 'valibot';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { TelemetryBatch } from '../../../../src/collector/component.ts';
import { PermanentError, RetryableError } from '../../../../src/collector/errors.ts';
import { WireWriter } from '../../../../src/collector/otlp/wire-writer.ts';
import { configSchema } from '../../../../src/receivers/otlp/config.ts';
import { OtlpReceiver } from '../../../../src/receivers/otlp/receiver.ts';

const batches: TelemetryBatch[] = [];
let refusal: Error | undefined;
let receiver: OtlpReceiver;
let url: string;

/** One span without content. */
const request = (() => {
  const writer = new WireWriter();
  writer.messageField(1, () => writer.messageField(2, () => writer.messageField(2, () => writer.stringField(5, 'a'))));
  return writer.finish();
})();
const json = '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"}]}]}]}';

beforeEach(async () => {
  batches.length = 0;
  refusal = undefined;
  const lines: string[] = [];
  receiver = new OtlpReceiver(
    {
      id: 'otlp',
      signals: new Set(['traces']),
      logger: pino({}, { write: (line: string) => void lines.push(line) }),
      meter: metrics.getMeter('test'),
      version: '0',
    },
    v.parse(configSchema, { protocols: { http: { endpoint: '127.0.0.1:0', max_request_body_size: 1000 } } }),
    () => ({
      consume: async (batch) => {
        if (refusal) throw refusal;
        batches.push(batch);
      },
    }),
  );
  await receiver.start();
  url = `http://${(JSON.parse(lines[0] as string) as { endpoint: string }).endpoint}`;
});

afterEach(() => receiver.shutdown(AbortSignal.timeout(1000)));

const post = (body: string | Uint8Array, headers: Record<string, string> = {}, path = '/v1/traces') =>
  fetch(url + path, {
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
])('passes on the very bytes of a request in %s', async (encoding, body) => {
  const response = await post(body, { 'content-encoding': encoding });
  expect([response.status, await response.text()]).toEqual([200, '']);
  expect(batches.map(({ chunks, itemCount }) => [Buffer.concat(chunks), itemCount])).toEqual([
    [Buffer.from(request), 1],
  ]);
});

it('turns JSON into the bytes that protobuf has, and answers in JSON', async () => {
  const response = await post(json);
  expect([response.status, await response.text()]).toEqual([200, '{}']);
  expect(Buffer.concat(batches[0]?.chunks ?? [])).toEqual(Buffer.from(request));
});

it('says what is wrong where in a malformed request', async () => {
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
  ['GET', () => fetch(`${url}/v1/traces`), 405],
  ['too large a body', () => post(new Uint8Array(1001)), 413],
  ['a bomb', () => post(gzipSync(new Uint8Array(1e6)), { 'content-encoding': 'gzip' }), 413],
  ['an unknown compression', () => post(request, { 'content-encoding': 'lz4' }), 400],
  ['a broken compression', () => post(request, { 'content-encoding': 'gzip' }), 400],
] as const)('refuses %s', async (_, send, status) => {
  expect((await send()).status).toBe(status);
  expect(batches).toEqual([]);
});

it.each([
  [new RetryableError('full', 'later', { retryAfterMs: 1500 }), 503, '2'],
  [new PermanentError('broken', 'never'), 500, null],
  [new Error('a defect'), 500, null],
])('answers %s of a pipeline', async (error, status, retryAfter) => {
  refusal = error;
  const response = await post(request);
  expect([response.status, response.headers.get('retry-after')]).toEqual([status, retryAfter]);
});
