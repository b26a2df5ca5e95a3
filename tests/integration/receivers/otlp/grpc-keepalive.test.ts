import { once } from 'node:events';
import { connect as connectHttp2, createServer, type ServerHttp2Session } from 'node:http2';
import { connect, type AddressInfo } from 'node:net';
import { queryObjects } from 'node:v8';
import { expect, it } from 'vitest';
import { spansBatch } from '../../../support/components/batches.ts';
import { GrpcCaller } from './grpc-caller.ts';
import { ReceiverUnderTest } from './receiver-under-test.ts';

const spans = spansBatch(['a']).chunks[0] as Uint8Array;

async function startWith(
  server_parameters: Record<string, string>,
  enforcement_policy?: object,
): Promise<ReceiverUnderTest> {
  const policy = enforcement_policy === undefined ? {} : { enforcement_policy };
  return await ReceiverUnderTest.start({ grpc: { keepalive: { server_parameters, ...policy } } });
}

/** A call that runs until `gate` opens. */
async function callUnderWay(receiver: ReceiverUnderTest, caller: GrpcCaller) {
  const gate = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<void>();
  receiver.consume = async () => (entered.resolve(), await gate.promise);
  const answer = caller.call(spans);
  await entered.promise;
  return { gate, answer };
}

it('ends a connection once it is idle for max_connection_idle, and not while it has a call', async () => {
  await using receiver = await startWith({ max_connection_idle: '100ms' });
  using caller = new GrpcCaller(receiver.endpoint('grpc'));
  const { gate, answer } = await callUnderWay(receiver, caller);
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect(caller.farewells).toEqual([]);
  gate.resolve();
  expect(await answer).toMatchObject({ status: 0 });
  await caller.closed;
  expect(caller.farewells[0]).toBe(0);
});

it('ends a connection that is older than max_connection_age, after its calls', async () => {
  await using receiver = await startWith({ max_connection_age: '100ms' });
  using caller = new GrpcCaller(receiver.endpoint('grpc'));
  const { gate, answer } = await callUnderWay(receiver, caller);
  await once(caller.session, 'goaway');
  gate.resolve();
  expect(await answer).toMatchObject({ status: 0 });
  await caller.closed;
});

it('cuts calls off that go on for longer than max_connection_age_grace', async () => {
  await using receiver = await startWith({ max_connection_age: '50ms', max_connection_age_grace: '50ms' });
  using caller = new GrpcCaller(receiver.endpoint('grpc'));
  const { answer } = await callUnderWay(receiver, caller);
  expect(await answer).toMatchObject({ status: undefined });
});

it('ends a connection whose client does not answer within timeout, and keeps one that does', async () => {
  await using receiver = await startWith({ time: '50ms', timeout: '100ms' });
  using caller = new GrpcCaller(receiver.endpoint('grpc'));
  const [host = '', port = ''] = receiver.endpoint('grpc').split(':');
  const mute = connect(Number(port), host);
  mute.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
  mute.resume();
  await once(mute, 'close');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await caller.call(spans)).toMatchObject({ status: 0 });
  expect(caller.farewells).toEqual([]);
});

it('pings an idle connection again and again', async () => {
  await using receiver = await startWith({ time: '30ms', timeout: '1s' });
  using caller = new GrpcCaller(receiver.endpoint('grpc'));
  let pings = 0;
  caller.session.on('ping', () => pings++);
  await expect.poll(() => pings).toBeGreaterThan(2);
});

it('keeps nothing of connections that are closed', async () => {
  await using receiver = await startWith({ time: '1h' });
  for (let i = 0; i < 20; i++) {
    using caller = new GrpcCaller(receiver.endpoint('grpc'));
    expect(await caller.call(spans)).toMatchObject({ status: 0 });
  }
  const type = await serverSession();
  // The stack may refer to the last ones.
  await expect.poll(() => queryObjects(type, { format: 'count' })).toBeLessThan(5);
});

/** The class of the sessions of a server. */
async function serverSession(): Promise<() => void> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [session] = (await once(server, 'session')) as [ServerHttp2Session];
  const found = session.constructor as () => void;
  client.destroy();
  server.close();
  return found;
}

const TOO_MANY_PINGS = 11;

it('ends a connection whose client asks more often than enforcement_policy lets it', async () => {
  await using receiver = await startWith({}, { min_time: '1m', permit_without_stream: true });
  using caller = new GrpcCaller(receiver.endpoint('grpc'));
  await once(caller.session, 'connect');
  for (let i = 0; i < 4; i++) caller.session.ping(() => undefined);
  await caller.closed;
  expect(caller.farewells[0]).toBe(TOO_MANY_PINGS);
});

it('limits pings by enforcement_policy, and not at all without it', async () => {
  await using strict = await startWith({}, { min_time: '1ms', permit_without_stream: true });
  await using lenient = await startWith({});
  for (const receiver of [strict, lenient]) {
    using caller = new GrpcCaller(receiver.endpoint('grpc'));
    for (let i = 0; i < 6; i++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      await new Promise((resolve) => caller.session.ping(resolve));
    }
    expect(await caller.call(spans)).toMatchObject({ status: 0 });
    expect(caller.farewells).toEqual([]);
  }
});
