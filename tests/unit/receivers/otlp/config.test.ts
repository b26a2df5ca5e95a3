import * as v from 'valibot';
import { expect, it } from 'vitest';
import { configSchema } from '../../../../src/receivers/otlp/config.ts';

const problems = (protocols: unknown): string[] =>
  v.safeParse(configSchema, { protocols }).issues?.map((issue) => `${v.getDotPath(issue)}: ${issue.message}`) ?? [];

const keepalive = (server_parameters: Record<string, string>): unknown => ({
  grpc: { keepalive: { server_parameters } },
});

it('takes the keep-alive keys of the stock receiver, with its defaults', () => {
  expect(
    v.parse(configSchema, { protocols: keepalive({ max_connection_age: '5m' }) }).protocols.grpc?.keepalive,
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
  ['http.include_metadata', { http: { include_metadata: true } }, /must be false or left out: nothing in siphon/],
  ['grpc.include_metadata', { grpc: { include_metadata: true } }, /must be false or left out: nothing in siphon/],
  ['grpc.keepalive.server_parameters.time', keepalive({ time: '600h' }), /must be at most 596h/],
  ['grpc.keepalive.enforcement_policy', { grpc: { keepalive: { enforcement_policy: {} } } }, /never/],
  ['grpc.max_concurrent_streams', { grpc: { max_concurrent_streams: 0 } }, /must be at least 1/],
  ['http.auth.authenticator', { http: { auth: {} } }, /./],
])('refuses a wrong %s', (path, protocols, message) => {
  expect(problems(protocols)).toEqual([expect.stringMatching(new RegExp(`^protocols.${path}: .*${message.source}`))]);
});

it('takes include_metadata: false', () => {
  expect(problems({ http: { include_metadata: false }, grpc: { include_metadata: false } })).toEqual([]);
});
