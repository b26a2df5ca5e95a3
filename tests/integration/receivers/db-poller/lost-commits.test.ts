/** A commit that is not on disk yet is visible, but a crash of the server takes it back, and reuses its number. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { counting, RESTARTED, shows, staysAt } from './counter-under-test.ts';

let database: TestPostgres;
beforeAll(async () => {
  database = await startTestPostgres({ schema: false });
  await database.sql(
    'create table orders (id bigint generated always as identity primary key, at timestamptz default now())',
  );
});
afterAll(() => database[Symbol.asyncDispose]());

const insert = async (rows: number, settings = ''): Promise<unknown> =>
  await database.sql(`${settings}; insert into orders select from generate_series(1, ${rows})`);

const pidOf = async (backend: string): Promise<number> => {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    const { rows } = await client.query<{ pid: number }>('select pid from pg_stat_activity where backend_type = $1', [
      backend,
    ]);
    return rows[0]!.pid;
  } finally {
    await client.end();
  }
};

it.runIf(process.env['SIPHON_TEST_POSTGRES_URL'] === undefined)(
  'counts no row whose commit a crash takes back, however long the server needs to write its log',
  { timeout: 90_000 },
  async () => {
    await using poller = await counting(database.url, { table: 'public.orders', append_only: true });
    await insert(2);
    await staysAt(poller, 2);
    const writer = await pidOf('walwriter');
    process.kill(writer, 'SIGSTOP');
    const background = await pidOf('background writer');
    try {
      await insert(5, 'set synchronous_commit = off');
      // More than three of the writer's rounds: it is late, not done.
      await sleep(2500);
      expect(poller.series.get('orders{}')).toBe(2);
      process.kill(background, 'SIGKILL');
      await sleep(200);
    } finally {
      process.kill(writer, 'SIGCONT');
    }
    await waitFor(
      async () =>
        await insert(3).then(
          () => true,
          () => false,
        ),
      { what: 'the server', timeoutMs: 30_000 },
    );
    await shows(poller, 5, { timeoutMs: 40_000 });
    await staysAt(poller, 5);
    expect(poller.said(RESTARTED)).toBe(0);
  },
);
