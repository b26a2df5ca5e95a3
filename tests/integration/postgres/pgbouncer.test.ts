import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/engine/schema/secret.ts';
import { ReadOnlyPool, type QueryResult } from '../../../src/postgres/read-only-pool.ts';
import { Pgbouncer, pgbouncerPath } from '../../support/postgres/pgbouncer.ts';
import { startTestPostgres, type TestPostgres } from '../../support/postgres/test-postgres.ts';
import { waitFor } from '../../support/wait-for.ts';

describe.skipIf(pgbouncerPath === undefined)(
  'behind pgbouncer in transaction mode (skipped where it is not installed)',
  () => {
    let database: TestPostgres;
    let pooler: Pgbouncer;
    beforeAll(async () => {
      database = await startTestPostgres();
      pooler = await Pgbouncer.start(database.pollerUrl, 1);
    });
    afterAll(async () => {
      await pooler[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    });

    const pool = (): ReadOnlyPool =>
      new ReadOnlyPool({
        datasource: new Secret(pooler.url),
        maxConnections: 3,
        connectTimeoutMs: 5000,
        lockTimeoutMs: 1000,
        onConnect: () => undefined,
      });
    const sleepers = async (): Promise<number> => {
      const text = `select from pg_stat_activity where query like '%pg_sleep(3%' and state = 'active' and pid <> pg_backend_pid()`;
      return (await database.sql(text)).length;
    };

    it('queries share one connection of the server, each with its own limits', async () => {
      const shared = pool();
      const settings = `select pg_backend_pid() as pid, current_setting('statement_timeout') as timeout, current_setting('transaction_isolation') as isolation`;
      const answers = await Promise.all([1100, 1200, 1300, 1400].map((timeoutMs) => ask(shared, settings, timeoutMs)));
      const rows = answers.map(({ rows: [row] }) => row);
      expect(rows.map((row) => row?.['timeout'])).toEqual(['1100ms', '1200ms', '1300ms', '1400ms']);
      expect(new Set(rows.map((row) => row?.['isolation']))).toEqual(new Set(['repeatable read']));
      expect(new Set(rows.map((row) => row?.['pid'])).size).toBe(1);
      await shared.close();
    });

    it('a query ends at its timeout, and the connection serves the next', async () => {
      const shared = pool();
      await expect(ask(shared, 'select pg_sleep(3)', 100)).rejects.toMatchObject({ reason: 'timeout' });
      expect((await ask(shared, 'select 1 as one')).rows).toEqual([{ one: 1 }]);
      expect(await sleepers()).toBe(0);
      await shared.close();
    });

    it('what runs is ended on the server when the pool is closed', async () => {
      const closing = pool();
      const running = ask(closing, 'select pg_sleep(30)', 60_000);
      await waitFor(async () => (await sleepers()) === 1, { what: 'the query' });
      await Promise.all([closing.close(), expect(running).rejects.toThrow(/abort/)]);
      await waitFor(async () => (await sleepers()) === 0, { what: 'its end' });
    });

    it('it cannot write', async () => {
      const shared = pool();
      await database.sql(`create function adds() returns uuid language sql security definer as
      $$ insert into roasters (name, slug, platform) values ('n', 'n', 'custom') returning id $$`);
      await expect(ask(shared, 'select adds()')).rejects.toMatchObject({ reason: 'read_only' });
      await shared.close();
    });
  },
);

function ask(pool: ReadOnlyPool, text: string, timeoutMs = 2000): Promise<QueryResult> {
  return pool.query({ text, values: [], timeoutMs, maxRows: 10 });
}
