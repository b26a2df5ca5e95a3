import { createContextKey, ROOT_CONTEXT, type Context } from '@opentelemetry/api';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { useFlatContexts } from './flat-context.ts';

const keys = ['a', 'b', 'c'].map((name) => createContextKey(name));

it('behaves like an immutable map', () => {
  useFlatContexts();
  const step = fc.record({ at: fc.nat(), key: fc.constantFrom(...keys), value: fc.option(fc.integer()) });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const contexts: [Context, ReadonlyMap<symbol, number>][] = [[ROOT_CONTEXT, new Map()]];
      for (const { at, key, value } of steps) {
        const [context, expected] = contexts[at % contexts.length]!;
        const next = new Map(expected);
        if (value === null) next.delete(key);
        else next.set(key, value);
        contexts.push([value === null ? context.deleteValue(key) : context.setValue(key, value), next]);
      }
      for (const [context, expected] of contexts) {
        expect(keys.map((key) => context.getValue(key))).toEqual(keys.map((key) => expected.get(key)));
      }
    }),
  );
});
