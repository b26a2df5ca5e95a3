import { once } from 'node:events';
import { connect } from 'node:net';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import * as snappy from 'snappyjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { spansBatch } from '../../../support/components/batches.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { framed, GrpcCaller } from './grpc-caller.ts';
import { ReceiverUnderTest } from './receiver-under-test.ts';

const spans = spansBatch(['a', 'b']).chunks[0] as Uint8Array;
const bomb = new Uint8Array(20_000_000);
const MAX_BYTES = 1024 * 1024;
let receiver: ReceiverUnderTest;
let caller: GrpcCaller;

beforeEach(async () => {
  receiver = await ReceiverUnderTest.start({ grpc: { max_recv_msg_size_mib: 1 } });
  caller = new GrpcCaller(receiver.endpoint('grpc'));
});

afterEach(async () => {
  caller[Symbol.dispose]();
  await receiver[Symbol.asyncDispose]();
});

const untilRejected = (reason: string, count = 1): Promise<unknown> =>
  waitFor(async () => (await receiver.rejected())[`grpc/${reason}`] === count, { what: `the count of ${reason}` });

/** Checks that the connection and the receiver still work. */
async function expectGoesOn(): Promise<void> {
  const before = receiver.batches.length;
  expect(await caller.call(spans)).toMatchObject({ status: 0 });
  expect(receiver.batches).toHaveLength(before + 1);
}

describe('compression', () => {
  it.each([
    ['identity', Buffer.from(spans), 0],
    ['gzip', gzipSync(spans), 1],
    ['deflate', deflateSync(spans), 1],
    ['zstd', zstdCompressSync(spans), 1],
    ['snappy', snappy.compress(new Uint8Array(spans)), 1],
    ['gzip', Buffer.from(spans), 0],
  ])('accepts %s, and lists the supported encodings', async (encoding, body, flag) => {
    const { status, headers } = await caller.call(body, { flag, headers: { 'grpc-encoding': encoding } });
    expect([status, headers['grpc-accept-encoding']]).toEqual([0, 'identity,gzip,deflate,snappy,zstd']);
    expect(receiver.batches.map(({ chunks }) => Buffer.concat(chunks).equals(spans))).toEqual([true]);
  });

  it.each([
    [
      'another',
      { flag: 1, headers: { 'grpc-encoding': 'br' } },
      { status: 12, reason: 'unsupported_encoding', message: /grpc-encoding: br; use/ },
    ],
    ['none that it names', { flag: 1 }, { status: 13, reason: 'malformed', message: /marked as compressed/ }],
    [
      'one that it is not',
      { flag: 1, headers: { 'grpc-encoding': 'gzip' } },
      { status: 3, reason: 'malformed', message: /cannot be decompressed/ },
    ],
  ])('refuses %s', async (_, options, { status, reason, message }) => {
    expect(await caller.call(spans, options)).toMatchObject({ status, message: expect.stringMatching(message) });
    expect(await receiver.rejected()).toEqual({ [`grpc/${reason}`]: 1 });
    await expectGoesOn();
  });

  it.each([
    ['gzip', gzipSync(bomb)],
    ['deflate', deflateSync(bomb)],
    ['zstd', zstdCompressSync(bomb)],
    ['snappy', snappy.compress(bomb.subarray(0, 8_000_000))],
  ])('refuses 100 simultaneous bombs in %s without decompressing them', async (encoding, body) => {
    const before = process.memoryUsage().rss;
    const headers = { 'grpc-encoding': encoding };
    const answers = await Promise.all(Array.from({ length: 100 }, () => caller.call(body, { flag: 1, headers })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([8]));
    expect(await receiver.rejected()).toEqual({ 'grpc/too_large': 100 });
    expect(process.memoryUsage().rss - before).toBeLessThan(150e6);
    await expectGoesOn();
  });
});

describe('framing', () => {
  it.each([
    ['no message', Buffer.alloc(0), /ends early/],
    ['half a prefix', Buffer.alloc(3), /ends early/],
    ['half a message', framed(spans).subarray(0, -1), /ends early/],
    ['two messages', Buffer.concat([framed(spans), framed(spans)]), /more than one message/],
    ['an unknown flag', framed(spans, { flag: 2 }), /flag 2/],
  ])('refuses %s', async (_, bytes, message) => {
    const call = caller.begin();
    call.stream.end(bytes);
    expect(await call.answer).toMatchObject({ status: 13, message: expect.stringMatching(message) });
    expect(await receiver.rejected()).toEqual({ 'grpc/malformed': 1 });
    expect(receiver.batches).toEqual([]);
    await expectGoesOn();
  });

  it('puts a message together that comes byte by byte', async () => {
    const call = caller.begin();
    for (const byte of framed(spans)) call.stream.write(Buffer.of(byte));
    call.stream.end();
    expect(await call.answer).toMatchObject({ status: 0 });
    expect(receiver.batches.map(({ chunks }) => Buffer.concat(chunks).equals(spans))).toEqual([true]);
  });

  it('answers a message that claims to be too large immediately, without waiting for it', async () => {
    const call = caller.begin();
    call.stream.write(framed(spans, { length: MAX_BYTES + 1 }));
    expect(await call.answer).toMatchObject({ status: 8, message: expect.stringContaining('max_recv_msg_size_mib') });
    expect(await receiver.rejected()).toEqual({ 'grpc/too_large': 1 });
    await expectGoesOn();
  });
});

describe('senders', () => {
  it('that are too slow are answered at their deadline', async () => {
    const call = caller.begin({ 'grpc-timeout': '100m' });
    call.stream.write(framed(spans).subarray(0, -1));
    expect(await call.answer).toMatchObject({ status: 4, message: 'the message did not arrive within 0.1 s' });
    expect(await receiver.rejected()).toEqual({ 'grpc/aborted': 1 });
    await expectGoesOn();
  });

  it('that give a call up are counted', async () => {
    const call = caller.begin();
    call.stream.write(framed(spans).subarray(0, -1));
    await new Promise((resolve) => setTimeout(resolve, 50));
    call.stream.destroy();
    await untilRejected('aborted');
    await expectGoesOn();
  });

  it('that go away are counted, a call each', async () => {
    for (let i = 0; i < 3; i++) caller.begin().stream.write(framed(spans).subarray(0, -1));
    await new Promise((resolve) => setTimeout(resolve, 50));
    caller.session.destroy();
    await untilRejected('aborted', 3);
    caller = new GrpcCaller(receiver.endpoint('grpc'));
    await expectGoesOn();
  });

  it('may run 100 calls on a connection; further calls wait', async () => {
    const gate = Promise.withResolvers<void>();
    let entered = 0;
    receiver.consume = async (batch) => (entered++, receiver.batches.push(batch), await gate.promise);
    await once(caller.session, 'remoteSettings');
    const answers = Array.from({ length: 150 }, () => caller.call(spans));
    await waitFor(() => entered === 100, { what: '100 calls' });
    gate.resolve();
    expect(new Set((await Promise.all(answers)).map(({ status }) => status))).toEqual(new Set([0]));
    expect(receiver.batches).toHaveLength(150);
  });
});

describe('a request that is not a call', () => {
  it.each([
    [405, { ':method': 'PUT' }, 'method'],
    [415, { 'content-type': 'application/json' }, 'media_type'],
    [415, { 'content-type': 'application/grpcx' }, 'media_type'],
  ])('is answered %i', async (http, headers, reason) => {
    expect(await caller.call(spans, { headers })).toMatchObject({ http, status: undefined });
    expect(await receiver.rejected()).toEqual({ [`grpc/${reason}`]: 1 });
    await expectGoesOn();
  });

  it.each([
    ['a method', '/opentelemetry.proto.collector.trace.v1.TraceService/Import', /^unknown method Import for service/],
    ['a service', '/a%0aB/Export', /^unknown service a%0aB$/],
    ['a service with a long name', `/${'x'.repeat(10_000)}/Export`, /^unknown service x{1,200}$/],
  ])('is answered UNIMPLEMENTED for %s that does not exist', async (_, path, message) => {
    const answer = await caller.call(spans, { headers: { ':path': path } });
    expect(answer).toMatchObject({ status: 12, message: expect.stringMatching(message) });
    expect(await receiver.rejected()).toEqual({ 'grpc/not_found': 1 });
    await expectGoesOn();
  });

  it.each([
    ['HTTP/1.1', Buffer.from('POST /v1/traces HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['noise', Buffer.alloc(100_000, 0xa7)],
    ['a frame of 16 MB', Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.alloc(1000, 0xff)])],
  ])('ends a connection that speaks %s', async (_, bytes) => {
    const [host = '', port = ''] = receiver.endpoint('grpc').split(':');
    const socket = connect(Number(port), host).on('error', () => undefined);
    socket.write(bytes);
    socket.resume();
    await once(socket, 'close');
    await expectGoesOn();
  });

  it('ends a connection that begins calls and takes them back without end', async () => {
    while (!caller.session.destroyed) {
      for (let i = 0; i < 200 && !caller.session.destroyed; i++) caller.begin().stream.close(8);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await caller.closed;
    expect(receiver.batches).toEqual([]);
    caller = new GrpcCaller(receiver.endpoint('grpc'));
    await expectGoesOn();
  });
});
