import { expect, it } from 'vitest';
import type { ReadOnlyPool, Row } from '../../../../postgres/read-only-pool.ts';
import { Horizon } from './horizon.ts';
import type { RunContext } from '../run/query-run.ts';
import { PollerMetrics } from '../run/poller-metrics.ts';
import { logLines } from '../../../../../tests/support/components/log-lines.ts';
import { noMetrics } from '../../../../../tests/support/components/no-metrics.ts';

const writer = { pid: 42, application_name: 'migration', prepared: null };
const held = (ageS: number | null): Row => ({ ...writer, settled_xid: '7', is_held: true, age_s: ageS });
const free: Row = { pid: null, application_name: null, prepared: null, settled_xid: '9', is_held: false, age_s: null };

/** A horizon that finds these rows, one at each poll; returns its log and its measurements. */
async function watch(rows: readonly Row[]): Promise<{ said: unknown[]; lags: (number | undefined)[] }> {
  const { logger, lines } = logLines();
  const lags: (number | undefined)[] = [];
  const metrics = new PollerMetrics(noMetrics);
  metrics.horizonLag = (seconds) => void lags.push(seconds);
  const left = [...rows];
  const pool = {
    query: async ({ text }: { text: string }) =>
      text.includes('pg_control_system') || text.includes('pg_walfile_name')
        ? { rows: [{}], columns: new Map(), durationMs: 1 }
        : { rows: [left.shift()!], columns: new Map(), durationMs: 1 },
  };
  const context = { pool: pool as unknown as ReadOnlyPool, metrics, logger } as unknown as RunContext;
  const horizon = new Horizon(context, 1000);
  const schema = { table: String, has: () => true, hasIndex: () => true };
  for (const _ of rows) await horizon.poll(schema, new AbortController().signal);
  return { said: lines.map(({ msg, pid, application_name, age_s }) => ({ msg, pid, application_name, age_s })), lags };
}

it('logs once which transaction blocks counting for more than a minute, and once when it ended', async () => {
  const { said, lags } = await watch([free, held(5), held(61), held(80), free, free]);
  expect(lags).toEqual([0, 5, 61, 80, 0, 0]);
  expect(said).toMatchObject([
    {
      msg: 'Counting is blocked by an open write transaction',
      pid: 42,
      application_name: 'migration',
      age_s: 61,
    },
    { msg: 'The write transaction that blocked counting has ended' },
  ]);
});

it('measures how long the horizon has not moved if it may not see the blocking transaction', async () => {
  const { lags } = await watch([held(null), held(null), free]);
  expect(lags[0]).toBeCloseTo(0, 1);
  expect(lags[1]).toBeGreaterThanOrEqual(lags[0]!);
  expect(lags[2]).toBe(0);
});
