import { expect, it } from 'vitest';
import { siphonFromSource } from '../support/processes/collector-process.ts';
import { simulateExactness } from '../simulate/exactness.ts';

it(
  'counts every row once, whatever happens to siphon, the database and the network',
  { timeout: 120_000 },
  async () => {
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
    expect(verdict, log.join('\n')).toMatchObject({
      lost: 0,
      double: 0,
      differences: [],
      violations: [],
      passed: true,
    });
  },
);
