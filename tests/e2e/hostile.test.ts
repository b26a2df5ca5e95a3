import { expect, it } from 'vitest';
import { attackNames } from '../support/hostile/senders.ts';
import { runHostile } from '../support/hostile/run-hostile.ts';

/**
 * `npm run simulate:hostile` is the same with 1,000 connections for ten minutes. Both do not pass reliably yet
 * (docs/reliability.md), so this test runs only on request.
 */
it.runIf(process.env['SIPHON_HOSTILE'] !== undefined)(
  'survives 300 hostile connections in 256 MiB, and shows a new series afterwards',
  { timeout: 180_000 },
  async () => {
    const order = { seconds: 15, connections: 300, memoryMib: 256, names: attackNames };
    const { isAlive, isEnforced, peakMib, acceptedAfterMs, log } = await runHostile(order);
    expect(isAlive, log).toBe(true);
    expect(acceptedAfterMs, log).toBeLessThan(60_000);
    if (!isEnforced) expect(peakMib).toBeLessThan(256);
  },
);
