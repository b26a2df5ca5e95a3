import { validateHeaderName, validateHeaderValue } from 'node:http';
import * as v from 'valibot';
import { secret } from './fields.ts';
import type { Secret } from './secret.ts';

export type SecretHeaders = Readonly<Record<string, Secret>>;

/** Headers by name, or as a list of `name` and `value`. Their values may be secrets. */
export function headers(): v.GenericSchema<unknown, SecretHeaders> {
  return v.pipe(
    v.union([v.record(v.string(), secret()), pairs], 'must be a map, or a list of name and value'),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      for (const [key, value] of Object.entries(dataset.value)) {
        const message = problemOf(key, value.reveal());
        const at = { type: 'object', origin: 'value', input: dataset.value, key, value } as const;
        if (message !== undefined) addIssue({ message, path: [at] });
      }
    }),
  );
}

const pairs = v.pipe(
  v.array(v.strictObject({ name: v.string(), value: secret() })),
  v.check((list) => new Set(list.map(({ name }) => name)).size === list.length, 'has a name twice'),
  v.transform((list): SecretHeaders => Object.fromEntries(list.map(({ name, value }) => [name, value]))),
);

function problemOf(name: string, value: string): string | undefined {
  if (isRefused(() => validateHeaderName(name))) return 'is a name that no HTTP header may have';
  if (isRefused(() => validateHeaderValue(name, value))) return 'has a value that no HTTP header may have';
  return undefined;
}

function isRefused(validate: () => void): boolean {
  try {
    validate();
    return false;
  } catch {
    return true;
  }
}
