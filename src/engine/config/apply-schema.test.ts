import * as v from 'valibot';
import { expect, it } from 'vitest';
import { applySchema } from './apply-schema.ts';
import { ProblemList } from './config-error.ts';
import type { ConfigNode } from './config-node.ts';

const place = { source: 'c.yaml', line: 1 };

function unset(name: string): ConfigNode {
  return { kind: 'scalar', place, value: null, emptyVariables: [{ name, state: 'unset', suggestion: '' }] };
}

it('names the unset variable of a key that a check over several keys names, and no other', async () => {
  const keys = v.strictObject({ size: v.optional(v.number(), 0), share: v.optional(v.number(), 0), note: v.optional(v.number()) }); // prettier-ignore
  const schema = v.pipe(
    keys,
    v.check(({ size, share }) => size + share > 0, 'needs size or share'),
  );
  const entries = new Map([
    ['share', unset('SHARE')],
    ['note', unset('NOTE')],
  ]);
  const node: ConfigNode = { kind: 'mapping', place, entries };
  const problems = new ProblemList();
  await applySchema(schema, { node, path: ['limiter'], parent: node }, problems);
  expect(() => problems.throwIfAny()).toThrow(/^c\.yaml:1 limiter: \$\{env:SHARE\} is not set; needs size or share$/);
});
