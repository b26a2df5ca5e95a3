import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/engine/schema/secret.ts';
import { AdvisoryLock } from '../../../src/postgres/advisory-lock.ts';
import { Pgbouncer, pgbouncerPath } from '../../support/postgres/pgbouncer.ts';
import { startTestPostgres, type TestPostgres } from '../../support/postgres/test-postgres.ts';
import { waitFor } from '../../support/wait-for.ts';

describe('AdvisoryLock', () => {
  let database: TestPostgres;
  beforeAll(async () => {
    database = await startTestPostgres({ schema: false });
  });
  afterAll(() => database[Symbol.asyncDispose]());

  const open = (settings: { url?: string; name?: string; leaseMs?: number } = {}): Promise<AdvisoryLock> =>
    AdvisoryLock.open({
      datasource: new Secret(settings.url ?? database.url),
      name: settings.name ?? 'one',
      leaseMs: settings.leaseMs ?? 10_000,
      applicationName: 'siphon test',
      connectTimeoutMs: 5000,
      answerTimeoutMs: 5000,
    });

  it('is held by one session of those that give the same name, until it is closed', async () => {
    const [first, second, other] = [await open(), await open(), await open({ name: 'other' })];
    expect([await first.tryTake(), await second.tryTake(), await other.tryTake()]).toEqual([true, false, true]);
    await first.confirm();
    await first.close();
    await waitFor(() => second.tryTake(), { what: 'the lock, given back' });
    await Promise.all([second.close(), other.close(), other.close()]);
  });

  it('ends with its session, and reports it', async () => {
    const lock = await open();
    await waitFor(() => lock.tryTake(), { what: 'the lock' });
    await database.sql(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'siphon test'`);
    await waitFor(() => lock.ended.aborted, { what: 'the end' });
    await expect(lock.confirm()).rejects.toMatchObject({ name: 'PostgresError' });
    await lock.close();
  });

  it('is taken back by the server from a session that is silent for its lease', async (context) => {
    const [known] = await database.sql(`select from pg_settings where name = 'idle_session_timeout'`);
    if (known === undefined) return context.skip('the server leaves that to keepalives');
    const [silent, next] = [await open({ leaseMs: 300 }), await open()];
    await waitFor(() => silent.tryTake(), { what: 'the lock' });
    await waitFor(() => next.tryTake(), { what: 'the lock, taken back', timeoutMs: 2000 });
    expect(silent.ended.aborted).toBe(true);
    await next.close();
  });

  it.skipIf(pgbouncerPath === undefined)(
    'notices a pooler in transaction mode also when it lends its session to somebody else later',
    async () => {
      // With a limit of one client, which is connected already, the pooler cannot be detected at the start.
      await using pooler = await Pgbouncer.start(database.url, 5, { maxClients: 2 });
      const foreign = new Client({ connectionString: pooler.url });
      await foreign.connect();
      const lock = await open({ url: pooler.url });
      await lock.tryTake();
      await foreign.query('begin; select');
      await expect(lock.confirm()).rejects.toMatchObject({ reason: 'pooler' });
      await foreign.end();
      await lock.close();
    },
  );
});
