import { validateHeaderName, validateHeaderValue } from 'node:http';
import * as v from 'valibot';
import { secret } from './fields.ts';
import type { Secret } from './secret.ts';

export type SecretHeaders = Readonly<Record<string, Secret>>;

/** Headers by name, or as a list of `name` and `value`. Their values may be secrets. */
export function headers(): v.GenericSchema<unknown, SecretHeaders> {
  return v.pipe(
    v.union([v.record(v.string(), secret()), pairs], 'must be a map, or a list of name and value'),
    v.check(
      (given) => Object.entries(given).every(([name, value]) => isHeader(name, value.reveal())),
      'has a name or a value that no HTTP header may have',
    ),
  );
}

const pairs = v.pipe(
  v.array(v.strictObject({ name: v.string(), value: secret() })),
  v.check((list) => new Set(list.map(({ name }) => name)).size === list.length, 'has a name twice'),
  v.transform((list): SecretHeaders => Object.fromEntries(list.map(({ name, value }) => [name, value]))),
);

function isHeader(name: string, value: string): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}
