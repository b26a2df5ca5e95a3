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

it('reports a misspelt key once, and not the check of its mapping that fails because of it', async () => {
  const packs = v.pipe(
    v.strictObject({ shop: v.optional(v.string()) }),
    v.check(({ shop }) => shop !== undefined, 'needs shop'),
  );
  const problemsOf = async (key: string | undefined): Promise<ProblemList> => {
    const value: ConfigNode = { kind: 'scalar', place, value: 'x' };
    const inner: ConfigNode = { kind: 'mapping', place, entries: new Map(key === undefined ? [] : [[key, value]]) };
    const node: ConfigNode = { kind: 'mapping', place, entries: new Map([['packs', inner]]) };
    const problems = new ProblemList();
    await applySchema(v.strictObject({ packs }), { node, path: ['poller'], parent: node }, problems);
    return problems;
  };
  const misspelt = await problemsOf('shpo');
  expect(() => misspelt.throwIfAny()).toThrow(
    /^c\.yaml:1 poller::packs::shpo: is an unknown key \(did you mean shop\?\); allowed: shop$/,
  );
  const missing = await problemsOf(undefined);
  expect(() => missing.throwIfAny()).toThrow(/^c\.yaml:1 poller::packs: needs shop$/);
});
