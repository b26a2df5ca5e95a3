import * as v from 'valibot';
import { expect, it } from 'vitest';
import { otlpReceiverConfig, idleGrpcKeys, idleHttpKeys } from './config.ts';

const problems = (protocols: unknown): string[] =>
  v.safeParse(otlpReceiverConfig, { protocols }).issues?.map((issue) => `${v.getDotPath(issue)}: ${issue.message}`) ??
  [];

const keepalive = (server_parameters: Record<string, string>): unknown => ({
  grpc: { keepalive: { server_parameters } },
});

it('takes the keep-alive keys of the stock receiver, with its defaults', () => {
  expect(
    v.parse(otlpReceiverConfig, { protocols: keepalive({ max_connection_age: '5m' }) }).protocols.grpc?.keepalive,
  ).toEqual({
    server_parameters: {
      max_connection_idle: 0,
      max_connection_age: 300_000,
      max_connection_age_grace: 0,
      time: 7_200_000,
      timeout: 20_000,
    },
  });
});

it.each([
  ['http.transport', { http: { transport: 'unix' } }, /must be tcp/],
  ['http.middlewares', { http: { middlewares: [{ id: 'x' }] } }, /must be empty: siphon does not support middlewares/],
  [
    'http.response_headers.a b',
    { http: { response_headers: { 'a b': 'x' } } },
    /is a name that no HTTP header may have/,
  ],
  [
    'http.response_headers.a',
    { http: { response_headers: { a: 'x\ny' } } },
    /has a value that no HTTP header may have/,
  ],
  ['grpc.endpoint', { grpc: { endpoint: 'http://127.0.0.1:4317' } }, /must be host:port, for example 127.0.0.1:4317/],
  ['http.compression_algorithms.1', { http: { compression_algorithms: ['gzip', 'br'] } }, /must be one of/],
  ['grpc.keepalive.server_parameters.time', keepalive({ time: '600h' }), /must be at most 596h/],
  ['grpc.max_concurrent_streams', { grpc: { max_concurrent_streams: 0 } }, /must be at least 1/],
  ['http.auth.authenticator', { http: { auth: {} } }, /./],
])('refuses a wrong %s', (path, protocols, message) => {
  expect(problems(protocols)).toEqual([expect.stringMatching(new RegExp(`^protocols.${path}: .*${message.source}`))]);
});

it('takes every key of the stock receiver that changes nothing here, and names those that are set', () => {
  const { http, grpc } = v.parse(otlpReceiverConfig, {
    protocols: {
      http: {
        include_metadata: true,
        write_timeout: '10s',
        transport: 'tcp',
        middlewares: [],
        profiles_url_path: '/p',
      },
      grpc: {
        include_metadata: false,
        read_buffer_size: 524_288,
        write_buffer_size: 1024,
      },
    },
  }).protocols;
  expect([http && idleHttpKeys(http), grpc && idleGrpcKeys(grpc)]).toEqual([
    { include_metadata: true, write_timeout: true, profiles_url_path: true },
    { include_metadata: false, read_buffer_size: true, write_buffer_size: true },
  ]);
});

it('means the default by 0 where the stock receiver does', () => {
  const { http, grpc } = v.parse(otlpReceiverConfig, {
    protocols: { http: { max_request_body_size: 0 }, grpc: { max_recv_msg_size_mib: 0 } },
  }).protocols;
  expect([http?.max_request_body_size, grpc?.max_recv_msg_size_mib]).toEqual([20 * 1024 * 1024, 4]);
});

it('takes response_headers as a map and as a list, and keeps their values to itself', () => {
  const list = [{ name: 'X-A', value: 'topsecret' }];
  for (const response_headers of [{ 'X-A': 'topsecret' }, list]) {
    const { http } = v.parse(otlpReceiverConfig, { protocols: { http: { response_headers } } }).protocols;
    expect([http?.response_headers['X-A']?.reveal(), JSON.stringify(http)]).toEqual([
      'topsecret',
      expect.not.stringContaining('topsecret'),
    ]);
  }
  expect(problems({ http: { response_headers: [...list, ...list] } })).toHaveLength(1);
});
