import { EventEmitter, once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Component } from '../../../../src/engine/component.ts';
import { headerMemory } from '../../../../src/engine/net/header-memory.ts';
import { spansBatch } from '../../../support/components/batches.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { framed, GrpcCaller } from './grpc-caller.ts';
import { ReceiverUnderTest } from './receiver-under-test.ts';

const spans = spansBatch(['a', 'b']).chunks[0] as Uint8Array;
const LIMITS = {
  http: { max_request_body_size: 1024 * 1024 },
  grpc: { max_recv_msg_size_mib: 1 },
  limits: { max_in_flight_mib: 4 },
};
/** Most of a body of 1 MB. */
const UNFINISHED = Buffer.alloc(900_000);
const sockets: Socket[] = [];

afterEach(() => {
  vi.useRealTimers();
  for (const socket of sockets.splice(0)) socket.destroy();
});

function socketTo(endpoint: string): Socket {
  const [host = '', port] = endpoint.split(':');
  const socket = connect(Number(port), host);
  socket.on('error', () => undefined);
  sockets.push(socket);
  return socket;
}

/** A request over HTTP whose body does not end. Resolves with the beginning of the answer. */
async function unfinishedRequest(endpoint: string): Promise<string> {
  const socket = socketTo(endpoint);
  const head = ['POST /v1/traces HTTP/1.1', `Host: ${endpoint}`, 'Content-Type: application/x-protobuf'];
  socket.write(`${[...head, 'Content-Length: 1000000'].join('\r\n')}\r\n\r\n`);
  socket.write(UNFINISHED);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString();
}

async function send(receiver: ReceiverUnderTest): Promise<number> {
  const headers = { 'content-type': 'application/x-protobuf' };
  return (await fetch(`${receiver.httpUrl}/v1/traces`, { method: 'POST', headers, body: spans })).status;
}

describe('max_in_flight_mib', () => {
  it('refuses the oldest unfinished bodies over HTTP with 503, and accepts a whole one', async () => {
    await using receiver = await ReceiverUnderTest.start(LIMITS);
    const first = await Promise.any(Array.from({ length: 12 }, () => unfinishedRequest(receiver.endpoint('http'))));
    expect(first).toMatch(/^HTTP\/1\.1 503 /);
    expect(first).toMatch(/^retry-after: 5\r$/im);
    expect(await send(receiver)).toBe(200);
    expect((await receiver.rejected())['http/in_flight']).toBeGreaterThan(0);
  });

  it('refuses unfinished messages over gRPC with UNAVAILABLE, and accepts a whole one', async () => {
    await using receiver = await ReceiverUnderTest.start(LIMITS);
    using hostile = new GrpcCaller(receiver.endpoint('grpc'));
    using honest = new GrpcCaller(receiver.endpoint('grpc'));
    const calls = Array.from({ length: 12 }, () => hostile.begin());
    for (const { stream } of calls) stream.write(framed(UNFINISHED, { length: 1_000_000 }));
    const answer = await Promise.race(calls.map((call) => call.answer));
    expect(answer).toMatchObject({ status: 14, message: expect.stringContaining('max_in_flight_mib') });
    await waitFor(async () => (await honest.call(spans)).status === 0, { what: 'the whole message to be accepted' });
    const enough = async (): Promise<boolean> => ((await receiver.rejected())['grpc/in_flight'] ?? 0) >= 7;
    await waitFor(enough, { what: 'unfinished messages to be refused' });
  });

  it('counts messages before their senders are authenticated', async () => {
    const auth: Component & Record<string, unknown> = {
      start: () => Promise.resolve(),
      shutdown: () => Promise.resolve(),
      challenge: 'Basic',
      authenticate: () => new Promise(() => undefined),
    };
    await using receiver = await ReceiverUnderTest.start({
      ...LIMITS,
      grpc: { ...LIMITS.grpc, auth: { authenticator: 'never' } },
      extensions: { never: auth },
    });
    using hostile = new GrpcCaller(receiver.endpoint('grpc'));
    const calls = Array.from({ length: 12 }, () => hostile.begin());
    for (const { stream } of calls) stream.write(framed(UNFINISHED, { length: 1_000_000 }));
    expect(await Promise.race(calls.map((call) => call.answer))).toMatchObject({ status: 14 });
  });

  it('refuses calls that send nothing with UNAVAILABLE, and accepts a whole one', async () => {
    await using receiver = await ReceiverUnderTest.start(LIMITS);
    const hostile = Array.from({ length: 8 }, () => new GrpcCaller(receiver.endpoint('grpc')));
    const calls = hostile.flatMap((caller) => Array.from({ length: 90 }, () => caller.begin()));
    expect(await Promise.race(calls.map((call) => call.answer))).toMatchObject({ status: 14 });
    using honest = new GrpcCaller(receiver.endpoint('grpc'));
    await waitFor(async () => (await honest.call(spans)).status === 0, { what: 'the whole message to be accepted' });
    for (const caller of hostile) caller[Symbol.dispose]();
  });

  it('counts the headers of calls', async () => {
    await using receiver = await ReceiverUnderTest.start(LIMITS);
    using hostile = new GrpcCaller(receiver.endpoint('grpc'));
    const headers = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`x-${i}`, 'a'.repeat(1000)]));
    const calls = Array.from({ length: 90 }, () => hostile.begin(headers));
    expect(await Promise.race(calls.map((call) => call.answer))).toMatchObject({ status: 14 });
  });

  it('lets bodies wait for others that end soon', async () => {
    await using receiver = await ReceiverUnderTest.start(LIMITS);
    const body = Buffer.concat(Array.from({ length: 30_000 }, () => spans));
    const headers = { 'content-type': 'application/x-protobuf' };
    const sendAll = async (): Promise<number> =>
      (await fetch(`${receiver.httpUrl}/v1/traces`, { method: 'POST', headers, body })).status;
    expect(body.length).toBeGreaterThan(700_000);
    expect(new Set(await Promise.all(Array.from({ length: 7 }, sendAll)))).toEqual(new Set([200]));
  });
});

describe('max_connections', () => {
  it.each(['http', 'grpc'] as const)('closes the oldest connection over %s that has no request', async (transport) => {
    const options = { max_connections: 8 };
    await using receiver = await ReceiverUnderTest.start({ http: options, grpc: options });
    const idle = Array.from({ length: 30 }, () => socketTo(receiver.endpoint(transport)));
    // An HTTP/2 server greets each connection.
    for (const socket of idle) socket.resume();
    await waitFor(() => idle.filter(({ closed }) => !closed).length <= 8, { what: 'idle connections to be closed' });
    if (transport === 'http') expect(await send(receiver)).toBe(200);
    else {
      using caller = new GrpcCaller(receiver.endpoint('grpc'));
      expect(await caller.call(spans)).toMatchObject({ status: 0 });
    }
  });
});

it('closes connections whose unfinished headers use much memory together', async () => {
  await using receiver = await ReceiverUnderTest.start();
  const headers = Array.from({ length: 50 }, (_, i) => `x-${i}: ${'a'.repeat(15_000)}`).join('\r\n');
  const hostile = Array.from({ length: 60 }, () => socketTo(receiver.endpoint('http')));
  for (const socket of hostile) socket.write(`POST /v1/traces HTTP/1.1\r\nHost: a\r\n${headers}`);
  for (const socket of hostile) socket.resume();
  await waitFor(() => hostile.some(({ closed }) => closed), { what: 'a connection to be closed' });
  expect(await send(receiver)).toBe(200);
});

it('closes the oldest connections whose requests have large headers', async () => {
  await using receiver = await ReceiverUnderTest.start();
  const head = 'POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\nContent-Length: 9';
  const hostile: Socket[] = [];
  for (let i = 0; i < 24; i++) {
    const socket = socketTo(receiver.endpoint('http'));
    hostile.push(socket.resume());
    socket.write(`${head}\r\nCookie: ${'a'.repeat(i < 16 ? 900_000 : 600_000)}\r\n\r\n`);
    // Its headers are complete before the next ones begin.
    await sleep(70);
  }
  await waitFor(() => hostile.some(({ closed }) => closed), { what: 'a connection to be closed' });
  expect(await send(receiver)).toBe(200);
});

it('refuses a request with large headers if those of others use much memory', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  await using receiver = await ReceiverUnderTest.start();
  const other = new EventEmitter();
  const name = 'a'.repeat(16 * 1024 * 1024 - 1000);
  expect(headerMemory.take({ rawHeaders: [name] }, [other], () => undefined)).toBe(true);
  const ask = async (): Promise<Response> => {
    const headers = { 'content-type': 'application/x-protobuf', cookie: 'a'.repeat(100_000) };
    return await fetch(`${receiver.httpUrl}/v1/traces`, { method: 'POST', headers, body: spans });
  };
  const refused = await ask();
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
  expect(await receiver.rejected()).toEqual({ 'http/memory_limit': 1 });
  expect(await send(receiver)).toBe(200);
  other.emit('close');
  expect((await ask()).status).toBe(200);
});

it('accepts smaller headers on each connection if many are open', async () => {
  await using receiver = await ReceiverUnderTest.start();
  const idle = Array.from({ length: 100 }, () => socketTo(receiver.endpoint('http')));
  await Promise.all(idle.map((socket) => once(socket, 'connect')));
  const withCookie = async (bytes: number): Promise<number> => {
    const headers = { 'content-type': 'application/x-protobuf', cookie: 'a'.repeat(bytes) };
    return (await fetch(`${receiver.httpUrl}/v1/traces`, { method: 'POST', headers, body: spans })).status;
  };
  expect(await withCookie(12_000)).toBe(200);
  const socket = socketTo(receiver.endpoint('http'));
  socket.write(`GET / HTTP/1.1\r\nHost: a\r\nCookie: ${'a'.repeat(30_000)}\r\n\r\n`);
  expect(((await once(socket, 'data')) as [Buffer])[0].toString()).toMatch(/^HTTP\/1\.1 431 /);
});
