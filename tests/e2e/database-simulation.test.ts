import { expect, it } from 'vitest';
import { siphonFromSource } from '../support/processes/collector-process.ts';
import { simulateExactness } from '../simulate/exactness.ts';
import { simulateShop } from '../simulate/shop.ts';

/** The short forms of `npm run simulate:database`. */
it('counts every row once, whatever happens to siphon, the database and the network', async () => {
  const log: string[] = [];
  const verdict = await simulateExactness({
    program: siphonFromSource,
    writers: 16,
    rows: 8000,
    minutes: 0.2,
    kills: 4,
    restarts: 1,
    cuts: 2,
    phases: 1,
    staysMs: 4000,
    seed: 7,
    progress: (line) => log.push(line),
  });
  expect(verdict, log.join('\n')).toMatchObject({ lost: 0, double: 0, differences: [], violations: [], passed: true });
});

it('counts every row once while partitions, children, settings and servers change', { timeout: 180_000 }, async () => {
  const log: string[] = [];
  const verdict = await simulateShop({
    program: siphonFromSource,
    writers: 6,
    minutes: 0.2,
    phases: 1,
    attacks: {
      kill: 2,
      crash: 1,
      attach: 2,
      detach: 2,
      move: 2,
      inherit: 1,
      disinherit: 2,
      rewrite: 1,
      settings: 2,
      lag: 2,
    },
    staysMs: 2000,
    seed: 7,
    progress: (line) => log.push(line),
  });
  expect(verdict, log.join('\n')).toMatchObject({ lost: 0, double: 0, violations: [], rebaselines: 0, passed: true });
  expect(verdict.rows).toBeGreaterThan(1000);
});
