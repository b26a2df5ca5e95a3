import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { PermanentError, RetryableError } from '../errors.ts';
import { StorageError } from '../storage.ts';
import { PostgresError } from '../../postgres/postgres-error.ts';
import { errorFields } from './error-fields.ts';

const fields = (error: unknown, withStacks = false): unknown => errorFields(error, { withStacks });

it('contains the words of the driver once', () => {
  const cause = Object.assign(new Error('password authentication failed for user "siphon"'), { code: '28P01' });
  expect(fields(PostgresError.from(cause))).toEqual({
    name: 'PostgresError',
    type: 'PostgresError',
    reason: 'authentication',
    message:
      'the database refused the login; check user and password of the datasource: ' +
      'password authentication failed for user "siphon"',
  });
});

it('adds the causes that the message does not contain, and bounds the whole', () => {
  const error = new Error('outer', { cause: new Error('middle', { cause: new Error('inner of middle') }) });
  expect(fields(error)).toMatchObject({ message: 'outer: middle: inner of middle' });
  const loop = new Error('loop');
  loop.cause = loop;
  expect(fields(loop)).toMatchObject({ message: 'loop' });
  expect(JSON.stringify(fields(new PermanentError('send_error', 'x'.repeat(1e6)))).length).toBeLessThan(3000);
  expect(fields('no error')).toBe('no error');
});

it('names each address of a host that refuses', async () => {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  const attempts = ['127.0.0.1', '::1'].map((host) => new Error(`connect ECONNREFUSED ${host}:${port}`));
  const cause = Object.assign(new AggregateError(attempts), { code: 'ECONNREFUSED' });
  expect(fields(PostgresError.from(cause))).toMatchObject({
    message: expect.stringContaining(`ECONNREFUSED 127.0.0.1:${port}, connect ECONNREFUSED ::1:${port}`),
  });
});

it.each([
  [new RetryableError('queue_full', 'full'), false],
  [new PermanentError('internal', 'a defect'), true],
  [new StorageError('full', 'no room'), false],
  [new StorageError('other', 'odd'), true],
  [new TypeError('x is not a function'), true],
  [new Error('wrapped', { cause: new StorageError('full', 'no room') }), false],
  [Object.assign(new Error('listen EADDRINUSE'), { syscall: 'listen' }), false],
])('includes the stack of %s: %s', (error, hasStack) => {
  expect(Object.hasOwn(fields(error) as object, 'stack')).toBe(hasStack);
  expect(fields(error, true)).toHaveProperty('stack');
});
