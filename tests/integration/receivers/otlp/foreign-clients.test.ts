import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { ExporterUnderTest, gauge } from '../../../../src/components/exporters/prometheus/exporter-under-test.ts';
import { spansBatch } from '../../../support/components/batches.ts';
import { GrpcCaller } from './grpc-caller.ts';
import { ReceiverUnderTest } from './receiver-under-test.ts';

const spans = Buffer.from(spansBatch(['a']).chunks[0] as Uint8Array);

interface Target {
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Record<string, string>;
}

/** The status that a server answers, with this request target as it is. */
async function statusOf(endpoint: string, { method = 'POST', path, headers = {} }: Target): Promise<number> {
  const [host, port] = endpoint.split(':');
  const type = { 'content-type': 'application/x-protobuf' };
  const request = httpRequest({ host, port, method, path, headers: { ...type, ...headers }, agent: false });
  request.on('error', () => undefined);
  request.end(method === 'POST' ? spans : undefined);
  const [response] = await once(request, 'response');
  response.resume();
  return response.statusCode;
}

it('serves targets that are whole URLs, as a proxy sends them', async () => {
  await using receiver = await ReceiverUnderTest.start();
  await using exporter = await ExporterUnderTest.start();
  await exporter.consume([gauge('g', 1)]);
  for (const path of ['http://otel.test/v1/traces', 'HTTPS://x:1/v1/traces?a=b', '/v1/%74races'])
    expect(await statusOf(receiver.endpoint('http'), { path }), path).toBe(200);
  expect(receiver.batches).toHaveLength(3);
  for (const path of ['http://otel.test/metrics', 'http://otel.test/metrics?a=1'])
    expect(await statusOf(exporter.endpoint, { method: 'GET', path }), path).toBe(200);
  for (const path of ['http://otel.test', 'ftp://otel.test/v1/traces', '/v1/%', '/v1//traces', '*'])
    expect(await statusOf(receiver.endpoint('http'), { path }), path).toBe(404);
});

it('accepts headers of up to 1 MiB, and no more', async () => {
  await using receiver = await ReceiverUnderTest.start();
  const path = '/v1/traces';
  const withCookies = (bytes: number): Promise<number> =>
    statusOf(receiver.endpoint('http'), { path, headers: { cookie: 'x'.repeat(bytes) } });
  expect(await withCookies(1_000_000)).toBe(200);
  expect(await withCookies(1_100_000)).toBe(431);
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`x-${i}`, 'y'.repeat(20)]));
  expect(await statusOf(receiver.endpoint('http'), { path, headers: many })).toBe(200);
  using caller = new GrpcCaller(receiver.endpoint('grpc'));
  const metadata = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`x-${i}`, 'y'.repeat(50)]));
  expect(await caller.call(spans, { headers: metadata })).toMatchObject({ status: 0 });
});

it('names the right port once, if a client uses the other one', async () => {
  await using receiver = await ReceiverUnderTest.start();
  const warnings = (): readonly unknown[] => receiver.log.lines.filter(({ level }) => level === 40);
  const [http, grpc] = [receiver.endpoint('http'), receiver.endpoint('grpc')];
  for (let i = 0; i < 2; i++) {
    await expect(statusOf(grpc, { path: '/v1/traces' })).rejects.toThrow();
    using caller = new GrpcCaller(http);
    caller.begin().stream.on('error', () => undefined);
    await caller.closed;
  }
  const [endpoint, here] = ['127.0.0.1:0', '127.0.0.1:0'];
  expect(warnings()).toMatchObject([
    { endpoint: here, http: endpoint, msg: 'A client without HTTP/2 uses the port for gRPC' },
    { endpoint: here, grpc: endpoint, msg: 'A client of gRPC uses the port for HTTP' },
  ]);
});

it('answers bytes that are not HTTP as before', async () => {
  await using receiver = await ReceiverUnderTest.start();
  const [host = '', port] = receiver.endpoint('http').split(':');
  const socket = connect(Number(port), host, () => socket.write('nonsense\r\n\r\n'));
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  await once(socket, 'close');
});
