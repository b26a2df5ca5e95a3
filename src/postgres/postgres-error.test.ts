import { expect, it } from 'vitest';
import { PostgresError } from './postgres-error.ts';

it.each([
  ['ECONNREFUSED', 'connection'],
  [undefined, 'connection'],
  ['08006', 'connection'],
  ['28P01', 'authentication'],
  ['28000', 'authentication'],
  ['53300', 'too_many_connections'],
  ['57P03', 'unavailable'],
  ['3D000', 'missing_database'],
  ['57014', 'timeout'],
  ['25P04', 'timeout'],
  ['25P03', 'timeout'],
  ['55P03', 'lock_timeout'],
  ['40001', 'recovery_conflict'],
  ['42501', 'permission'],
  ['42P01', 'missing_table'],
  ['42703', 'missing_column'],
  ['25006', 'read_only'],
  ['22P02', 'other'],
])('takes %s for %s', (code, reason) => {
  expect(PostgresError.from(Object.assign(new Error('refused'), { code }))).toMatchObject({ reason });
});

it.each([
  ['permission denied for table t', 'grant it SELECT'],
  ['permission denied for function f', 'grant it EXECUTE'],
])('advises what repairs "%s"', (text, advice) => {
  expect(PostgresError.from(Object.assign(new Error(text), { code: '42501' })).message).toContain(advice);
});

it('keeps the cause and the message of the server', () => {
  const cause = Object.assign(new Error('relation "x" does not exist'), { code: '42P01' });
  expect(PostgresError.from(cause)).toMatchObject({ cause, message: expect.stringContaining('relation "x"') });
});
