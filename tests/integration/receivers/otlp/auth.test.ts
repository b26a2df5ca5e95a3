import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { Client, credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import type { Authenticator } from '../../../../src/engine/authenticator.ts';
import type { Component } from '../../../../src/engine/component.ts';
import { RetryableError } from '../../../../src/engine/errors.ts';
import { Secret } from '../../../../src/engine/schema/secret.ts';
import { BearerTokenAuthExtension } from '../../../../src/components/extensions/bearer-token-auth/extension.ts';
import { spansBatch } from '../../../support/components/batches.ts';
import { componentSettings } from '../../../support/components/component-settings.ts';
import { ReceiverUnderTest } from './receiver-under-test.ts';

const spans = Buffer.from(spansBatch(['a']).chunks[0] as Uint8Array);
const auth = { authenticator: 'bearer_token_auth' };
const GOOD = 'Bearer sesame';
const REFUSED: readonly (readonly [string, string | undefined])[] = [
  ['no header', undefined],
  ['another token', 'Bearer sesam'],
  ['another scheme', 'Basic sesame'],
  ['a long header', `Bearer ${'x'.repeat(6000)}`],
];

async function guarded(protocols: Record<string, Record<string, unknown>> = {}): Promise<ReceiverUnderTest> {
  const extension = new BearerTokenAuthExtension(componentSettings('extension', 'bearer_token_auth').settings, {
    token: new Secret('sesame'),
    scheme: 'Bearer',
    header: 'Authorization',
  });
  await extension.start();
  const http = { auth, ...protocols['http'] };
  const grpc = { auth, ...protocols['grpc'] };
  return await ReceiverUnderTest.start({ http, grpc, extensions: { bearer_token_auth: extension } });
}

function post(url: string, authorization: string | undefined, headers: Record<string, string> = {}): Promise<Response> {
  const credential: Record<string, string> = authorization === undefined ? {} : { authorization };
  const type = { 'content-type': 'application/x-protobuf' };
  return fetch(`${url}/v1/traces`, { method: 'POST', headers: { ...type, ...headers, ...credential }, body: spans });
}

const same = (bytes: Buffer): Buffer => bytes;

async function call(endpoint: string, values: readonly string[]): Promise<ServiceError | null> {
  const client = new Client(endpoint, credentials.createInsecure());
  const metadata = new Metadata();
  for (const value of values) metadata.add('authorization', value);
  const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
  const { promise, resolve } = Promise.withResolvers<ServiceError | null>();
  client.makeUnaryRequest(path, same, same, spans, metadata, resolve);
  return await promise.finally(() => client.close());
}

it('takes requests with the credentials, over both protocols', async () => {
  await using receiver = await guarded();
  expect((await post(receiver.httpUrl, GOOD)).status).toBe(200);
  expect(await call(receiver.endpoint('grpc'), [GOOD])).toBeNull();
  expect(receiver.batches).toHaveLength(2);
  expect(await receiver.rejected()).toEqual({});
});

it.each(REFUSED)('answers 401 and the scheme to %s', async (_, authorization) => {
  await using receiver = await guarded();
  const answer = await post(receiver.httpUrl, authorization, { 'content-type': 'application/json' });
  expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  expect(await answer.json()).toEqual({ code: 16, message: 'the credentials of the request are missing or wrong' });
  expect(receiver.batches).toEqual([]);
  expect(await receiver.rejected()).toEqual({ 'http/unauthenticated': 1 });
  expect(JSON.stringify(receiver.log.lines)).not.toContain('sesam');
});

it.each(REFUSED)('answers UNAUTHENTICATED to %s, and counts it once', async (_, authorization) => {
  await using receiver = await guarded();
  const error = await call(receiver.endpoint('grpc'), authorization === undefined ? [] : [authorization]);
  expect(error).toMatchObject({ code: status.UNAUTHENTICATED, details: expect.stringMatching(/^the credentials/) });
  expect(receiver.batches).toEqual([]);
  expect(await receiver.rejected()).toEqual({ 'grpc/unauthenticated': 1 });
});

it('answers 401 on every path and before the body arrives', async () => {
  await using receiver = await guarded();
  expect((await fetch(`${receiver.httpUrl}/nowhere`)).status).toBe(401);
  const begun = request(`${receiver.httpUrl}/v1/traces`, { method: 'POST', headers: { 'content-length': 1000 } });
  begun.on('error', () => undefined);
  begun.write('x');
  const [answer] = (await once(begun, 'response')) as [{ statusCode: number }];
  expect(answer.statusCode).toBe(401);
  begun.destroy();
});

it('answers a preflight of a browser, which cannot carry credentials', async () => {
  await using receiver = await guarded({ http: { cors: { allowed_origins: ['https://a.example'] } } });
  const headers = { origin: 'https://a.example', 'access-control-request-method': 'POST' };
  const answer = await fetch(`${receiver.httpUrl}/v1/traces`, { method: 'OPTIONS', headers });
  expect(answer.status).toBe(204);
});

it('refuses headers that are too large, and continues', async () => {
  await using receiver = await guarded();
  const huge = `Bearer ${'x'.repeat(1_100_000)}`;
  const [host = '', port] = receiver.endpoint('http').split(':');
  const socket = connect(Number(port), host).on('error', () => undefined);
  socket.write(`POST /v1/traces HTTP/1.1\r\nHost: a\r\nAuthorization: ${huge}\r\n\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 431 /);
  socket.destroy();
  expect((await call(receiver.endpoint('grpc'), [huge]))?.code).toBeGreaterThan(0);
  expect(await call(receiver.endpoint('grpc'), [GOOD])).toBeNull();
  expect((await post(receiver.httpUrl, GOOD)).status).toBe(200);
  expect(receiver.batches).toHaveLength(2);
});

it('does not start if its authenticator is not running', async () => {
  await expect(ReceiverUnderTest.start({ http: { auth } })).rejects.toThrow('bearer_token_auth is not running');
  await expect(ReceiverUnderTest.start({ grpc: { auth } })).rejects.toThrow('bearer_token_auth is not running');
});

/** The transports that were warned of. */
const warned = ({ log }: ReceiverUnderTest): unknown[] =>
  log.lines.filter(({ msg }) => String(msg).startsWith('Other machines')).map(({ transport }) => transport);

it('warns of an address that others reach if nothing guards it', async () => {
  const open = { endpoint: '0.0.0.0:0' };
  await using exposed = await ReceiverUnderTest.start({ http: open, grpc: open });
  expect(new Set(warned(exposed))).toEqual(new Set(['grpc', 'http']));
  await using local = await ReceiverUnderTest.start();
  expect(warned(local)).toEqual([]);
  await using safe = await guarded({ http: open, grpc: open });
  expect(warned(safe)).toEqual([]);
});

it('ends each connection after its answer if keep-alive is off', async () => {
  await using receiver = await ReceiverUnderTest.start({ http: { keep_alives_enabled: false } });
  expect((await post(receiver.httpUrl, undefined)).headers.get('connection')).toBe('close');
});

it('ends idle gRPC connections after max_connection_idle', async () => {
  const keepalive = { server_parameters: { max_connection_idle: '50ms' } };
  await using receiver = await ReceiverUnderTest.start({ grpc: { keepalive } });
  const client = new Client(receiver.endpoint('grpc'), credentials.createInsecure());
  const { promise, resolve } = Promise.withResolvers<void>();
  client.waitForReady(Date.now() + 2000, () => resolve());
  await promise;
  const channel = client.getChannel();
  const left = Promise.withResolvers<void>();
  channel.watchConnectivityState(channel.getConnectivityState(false), Date.now() + 2000, (error) =>
    error === undefined ? left.resolve() : left.reject(error),
  );
  await left.promise.finally(() => client.close());
});

it('answers 503 and UNAVAILABLE while the credentials cannot be checked', async () => {
  const busy: Component & Authenticator = {
    start: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
    challenge: 'Basic',
    authenticate: () => {
      throw new RetryableError('queue_full', 'too many passwords are being checked', { retryAfterMs: 2000 });
    },
  };
  const own = { auth: { authenticator: 'busy' } };
  await using receiver = await ReceiverUnderTest.start({ http: own, grpc: own, extensions: { busy } });
  const answer = await post(receiver.httpUrl, GOOD);
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
  expect(await call(receiver.endpoint('grpc'), [GOOD])).toMatchObject({ code: status.UNAVAILABLE });
  expect(await receiver.rejected()).toEqual({ 'http/queue_full': 1, 'grpc/queue_full': 1 });
});
