import { expect, it } from 'vitest';
import { packs } from './index.ts';

it('describes each metric in one pack only', () => {
  const names = packs.flatMap(({ metrics }) => Object.keys(metrics));
  expect(names.length).toBe(new Set(names).size);
});
