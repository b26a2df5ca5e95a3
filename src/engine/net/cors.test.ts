import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { Cors } from './cors.ts';

function headersFor(allowed_origins: readonly string[], origin: string): Record<string, unknown> {
  const request = new IncomingMessage(new Socket());
  request.headers = { origin };
  const response = new ServerResponse(request);
  const config = { allowed_origins: [...allowed_origins], allowed_headers: [], exposed_headers: [], max_age: 0 };
  new Cors(config).apply(request, response);
  return { ...response.getHeaders() };
}

test('allows any origin to read, but not with credentials', () => {
  expect(headersFor(['https://a.example', '*'], 'https://evil.example')).toEqual({
    'access-control-allow-origin': '*',
  });
});

test('allows the origins of a pattern to use credentials, in any case', () => {
  expect(headersFor(['https://*.Example.com'], 'https://A.example.com')).toEqual({
    vary: 'Origin',
    'access-control-allow-origin': 'https://A.example.com',
    'access-control-allow-credentials': 'true',
  });
  expect(headersFor(['https://*.example.com'], 'https://example.com')).toEqual({ vary: 'Origin' });
});

test('answers a preflight request with the headers of the stock Collector and those of the configuration', () => {
  const request = new IncomingMessage(new Socket());
  request.method = 'OPTIONS';
  request.headers = { origin: 'https://a.test', 'access-control-request-method': 'POST' };
  const response = new ServerResponse(request);
  const config = { allowed_origins: ['https://a.test'], allowed_headers: ['X-Key'], exposed_headers: [], max_age: 0 };
  expect(new Cors(config).apply(request, response)).toBe(true);
  expect(response.getHeader('access-control-allow-headers')).toBe(
    'Accept, Content-Type, X-Requested-With, Content-Encoding, X-Key',
  );
});

test('compares a long origin with several wildcards in no time', () => {
  const before = process.cpuUsage();
  expect(headersFor(['https://*.*.*.*.example.com'], `https://${'.'.repeat(14_000)}`)).toEqual({ vary: 'Origin' });
  expect(process.cpuUsage(before).user).toBeLessThan(100_000);
});
