import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';
import { Client, compressionAlgorithms, credentials, status, type ServiceError } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { PermanentError, RetryableError } from '../../../../src/engine/errors.ts';
import { listen } from '../../../../src/engine/net/http-server.ts';
import { WireReader } from '../../../../src/engine/otlp/wire-reader.ts';
import { gaugeBatch, spansBatch } from '../../../support/components/batches.ts';
import { hostWith } from '../../../support/components/host-with.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { ReceiverUnderTest } from './receiver-under-test.ts';

const clients: Client[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

const TRACES = 'opentelemetry.proto.collector.trace.v1.TraceService';
const METRICS = 'opentelemetry.proto.collector.metrics.v1.MetricsService';
const spans = spansBatch(['a', 'b']).chunks[0] as Uint8Array;

interface Call {
  readonly service?: string;
  readonly body?: Uint8Array;
  readonly gzip?: boolean;
}

const same = (bytes: Buffer): Buffer => bytes;

/** The response, or the error with its status. */
function call(
  endpoint: string,
  { service = TRACES, body = spans, gzip = false }: Call = {},
): Promise<Buffer | ServiceError> {
  const options = gzip ? { 'grpc.default_compression_algorithm': compressionAlgorithms.gzip } : {};
  const client = new Client(endpoint, credentials.createInsecure(), options);
  clients.push(client);
  return new Promise((resolve) => {
    client.makeUnaryRequest(`/${service}/Export`, same, same, Buffer.from(body), (error, response) => {
      resolve(error ?? response ?? Buffer.alloc(0));
    });
  });
}

it('passes on the very bytes of a request, compressed or not, and answers with an empty response', async () => {
  await using receiver = await ReceiverUnderTest.start();
  const endpoint = receiver.endpoint('grpc');
  expect(await call(endpoint)).toEqual(Buffer.alloc(0));
  expect(await call(endpoint, { gzip: true })).toEqual(Buffer.alloc(0));
  expect(receiver.batches.map(({ chunks, itemCount }) => [Buffer.concat(chunks), itemCount])).toEqual([
    [Buffer.from(spans), 2],
    [Buffer.from(spans), 2],
  ]);
});

describe('refusals', () => {
  const tooLarge = gaugeBatch(Array.from({ length: 100_000 }, (_, i) => i)).chunks[0] as Uint8Array;

  it.each([
    [
      'a malformed message',
      { body: spans.subarray(0, -1) },
      'malformed',
      { code: status.INVALID_ARGUMENT, details: /resource_spans claims/ },
    ],
    [
      'a signal without a pipeline',
      { service: METRICS },
      'not_found',
      { code: status.UNIMPLEMENTED, details: /unknown service .*MetricsService/ },
    ],
    [
      'a message above the limit',
      { body: tooLarge },
      'too_large',
      { code: status.RESOURCE_EXHAUSTED, details: /larger than the 1048576 bytes that max_recv_msg_size_mib allows/ },
    ],
    [
      'a bomb',
      { body: new Uint8Array(3e6), gzip: true },
      'too_large',
      { code: status.RESOURCE_EXHAUSTED, details: /larger than the 1048576 bytes that max_recv_msg_size_mib allows/ },
    ],
  ])('refuses %s, and counts it', async (_, request, reason, { code, details }) => {
    await using receiver = await ReceiverUnderTest.start({ signals: ['traces'], grpc: { max_recv_msg_size_mib: 1 } });
    expect(await call(receiver.endpoint('grpc'), request)).toMatchObject({
      code,
      details: expect.stringMatching(details),
    });
    await waitFor(async () => (await receiver.rejected())[`grpc/${reason}`] === 1, { what: `the count of ${reason}` });
    expect(await receiver.rejected()).toEqual({ [`grpc/${reason}`]: 1 });
    expect(receiver.batches).toEqual([]);
    expect(await call(receiver.endpoint('grpc'))).toEqual(Buffer.alloc(0));
  });

  it.each([
    [new RetryableError('queue_full', 'come later', { retryAfterMs: 1500 }), status.UNAVAILABLE, 'come later', 1.5],
    [new RetryableError('queue_full', 'come later'), status.UNAVAILABLE, 'come later', undefined],
    [new PermanentError('internal', 'never'), status.INTERNAL, 'never', undefined],
    [new Error('a secret of ours'), status.INTERNAL, 'internal error', undefined],
  ])('answers %s of a pipeline', async (error, code, details, retryAfterSeconds) => {
    await using receiver = await ReceiverUnderTest.start();
    receiver.consume = async () => {
      throw error;
    };
    const answer = await call(receiver.endpoint('grpc'));
    expect(answer).toMatchObject({ code, details });
    const [encoded] = (answer as ServiceError).metadata.get('grpc-status-details-bin');
    expect(readRetryDelay(encoded as Buffer)).toBe(retryAfterSeconds);
  });
});

/** The delay of the `RetryInfo` in a `google.rpc.Status`, in seconds. */
function readRetryDelay(bytes: Buffer): number | undefined {
  const duration = [3, 2, 1].reduce<WireReader | undefined>(
    (reader, field) => reader && find(reader, field),
    new WireReader(bytes),
  );
  if (duration === undefined) return undefined;
  let seconds = 0;
  while (!duration.done) seconds += duration.tag() >> 3 === 1 ? duration.varint() : duration.varint() / 1e9;
  return seconds;
}

function find(reader: WireReader, field: number): WireReader | undefined {
  while (!reader.done) {
    const tag = reader.tag();
    if (tag >> 3 === field) return reader.message();
    reader.skip(tag);
  }
  return undefined;
}

describe('start and shutdown', () => {
  it('names the endpoint that another server has', async () => {
    const other = createServer();
    const { port } = await listen(other, { host: '127.0.0.1', port: 0 });
    const receiver = new ReceiverUnderTest({ grpc: { endpoint: `127.0.0.1:${port}` } });
    await expect(receiver.receiver.start(hostWith())).rejects.toThrow(`127.0.0.1:${port}`);
    // The other transport, which did bind, is closed as well.
    await receiver[Symbol.asyncDispose]();
    await expect(fetch(receiver.httpUrl)).rejects.toThrow('fetch failed');
    other.close();
  });

  it.each(['http', 'grpc'] as const)('waits for a running %s request', async (transport) => {
    const receiver = await ReceiverUnderTest.start();
    const entered = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    receiver.consume = () => (entered.resolve(), gate.promise);
    const answer = post(receiver, transport);
    await entered.promise;
    const closed = receiver.receiver.shutdown(AbortSignal.timeout(5000));
    gate.resolve();
    expect(await answer).toBe('taken');
    await closed;
    expect(await post(receiver, transport)).toBe('failed');
  });

  it.each(['http', 'grpc'] as const)('cuts a %s request off when the deadline has passed', async (transport) => {
    const receiver = await ReceiverUnderTest.start();
    const entered = Promise.withResolvers<void>();
    receiver.consume = () => (entered.resolve(), new Promise(() => undefined));
    const answer = post(receiver, transport);
    await entered.promise;
    await receiver.receiver.shutdown(AbortSignal.abort());
    expect(await answer).toBe('failed');
  });

  it('closes what is about to listen when it is shut down while it starts', async () => {
    const receiver = new ReceiverUnderTest();
    const started = receiver.receiver.start(hostWith());
    await receiver.receiver.shutdown(AbortSignal.timeout(1000));
    await started;
    expect(await Promise.all([post(receiver, 'http'), post(receiver, 'grpc')])).toEqual(['failed', 'failed']);
  });

  it('may be shut down before it starts, and twice', async () => {
    const { receiver } = new ReceiverUnderTest();
    await receiver.shutdown(AbortSignal.timeout(1000));
    await receiver.start(hostWith());
    await receiver.shutdown(AbortSignal.timeout(1000));
    await receiver.shutdown(AbortSignal.timeout(1000));
  });
});

async function post(receiver: ReceiverUnderTest, transport: 'http' | 'grpc'): Promise<'taken' | 'failed'> {
  if (transport === 'grpc') {
    const answer = await call(receiver.endpoint('grpc'));
    return answer instanceof Error ? 'failed' : 'taken';
  }
  const headers = { 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' };
  const request = { method: 'POST', headers, body: gzipSync(spans) };
  return await fetch(`${receiver.httpUrl}/v1/traces`, request).then(
    ({ ok }) => (ok ? 'taken' : 'failed'),
    () => 'failed',
  );
}
