import { expect, it } from 'vitest';
import { packs } from './index.ts';
import { load } from './pack.ts';

it('describes each metric in one pack only', () => {
  const names = packs.flatMap(({ metrics }) => Object.keys(metrics));
  expect(names.length).toBe(new Set(names).size);
});

it('loads the dashboards and alerts of every pack on demand', async () => {
  for (const { dashboards = [], alerts = [] } of packs) {
    expect((await load(dashboards)).length + (await load(alerts)).length).toBeGreaterThan(0);
  }
});
