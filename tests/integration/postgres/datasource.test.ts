import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Secret } from '../../../src/engine/schema/secret.ts';
import { ReadOnlyPool } from '../../../src/postgres/read-only-pool.ts';
import { Session } from '../../../src/postgres/session.ts';
import { startReplicatedPostgres, type ReplicatedPostgres } from '../../support/postgres/standby.ts';
import { runSql } from '../../support/postgres/test-postgres.ts';
import { PollerUnderTest } from '../receivers/db-poller/poller-under-test.ts';
import { ReceiverUnderTest } from '../receivers/sqlquery/receiver-under-test.ts';

const CLOSED = '127.0.0.1:1';

const url = (hosts: readonly string[], attributes: string): string =>
  `postgresql://example:example@${hosts.join(',')}/postgres?target_session_attrs=${attributes}`;
const pool = (datasource: string): ReadOnlyPool =>
  new ReadOnlyPool({ datasource: new Secret(datasource), maxConnections: 2, connectTimeoutMs: 2000, lockTimeoutMs: 1000 }); // prettier-ignore
const port = async (asked: ReadOnlyPool): Promise<unknown> => {
  const text = `select '127.0.0.1:' || current_setting('port') as host`;
  return (await asked.query({ text, timeoutMs: 2000, maxRows: 1 })).rows[0]?.['host'];
};

const portOf = async (datasource: string): Promise<unknown> => {
  const asked = pool(datasource);
  try {
    return await port(asked);
  } finally {
    await asked.close();
  }
};

describe('a datasource', () => {
  let databases: ReplicatedPostgres;
  let folder: string;
  beforeAll(async () => {
    databases = await startReplicatedPostgres();
    folder = await mkdtemp(join(tmpdir(), 'siphon-datasource-'));
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await databases[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const primary = (): string => new URL(databases.primaryUrl).host;
  const standby = (): string => new URL(databases.standbyUrl).host;
  it('with several hosts leads to the first that can be used and has the wanted role', async () => {
    const [all, reverse] = [[CLOSED, standby(), primary()], [primary(), standby(), CLOSED]]; // prettier-ignore
    for (const attributes of ['primary', 'read-write']) expect(await portOf(url(all, attributes))).toBe(primary());
    for (const attributes of ['standby', 'read-only', 'prefer-standby'])
      expect(await portOf(url(reverse, attributes))).toBe(standby());
    expect(await portOf(url([CLOSED, primary()], 'prefer-standby'))).toBe(primary());
    expect(await portOf(url(all, 'any'))).toBe(standby());
    await expect(portOf(url([CLOSED, standby()], 'primary'))).rejects.toMatchObject({
      reason: 'connection',
      message: expect.stringMatching(/no host .*ECONNREFUSED.*is a standby, .*requires a primary/),
    });
    await expect(portOf(url([standby()], 'primary'))).rejects.toThrow('requires a primary');
  });

  it('means the primary by read-write also for a role whose sessions only read', async () => {
    await runSql(databases.primaryUrl, `create role reader login password 'p'; alter role reader set default_transaction_read_only = on`); // prettier-ignore
    await databases.replayed();
    expect(await portOf(url([standby(), primary()], 'read-write').replace('example:example', 'reader:p'))).toBe(primary()); // prettier-ignore
  });

  it('stops at a host that refuses the login, and does not show the password', async () => {
    const wrong = url([primary(), standby()], 'standby').replace('example:example', 'example:wrong-secret');
    const failure = await portOf(wrong).catch(String);
    expect(failure).toMatch(/^PostgresError: the database refused the login/);
    expect(failure).not.toContain('wrong-secret');
  });

  it('leads an open pool elsewhere when its server is lost, without a failed query', async () => {
    const replaced = await startReplicatedPostgres();
    const hosts = [replaced.primaryUrl, databases.primaryUrl].map((one) => new URL(one).host);
    const asked = pool(url(hosts, 'primary'));
    try {
      expect(await port(asked)).toBe(hosts[0]);
      await replaced.stopPrimary();
      await expect.poll(() => asked.usage.idle).toBe(0);
      expect(await port(asked)).toBe(primary());
    } finally {
      await asked.close();
      await replaced[Symbol.asyncDispose]();
    }
  });

  it('is the same for the session of the leader', async () => {
    const session = await Session.open({
      datasource: new Secret(url([CLOSED, standby(), primary()], 'primary')),
      applicationName: 'siphon',
      connectTimeoutMs: 2000,
      answerTimeoutMs: 2000,
    });
    expect(await session.query('select pg_is_in_recovery() as is_standby')).toEqual([{ is_standby: false }]);
    await session.close();
  });

  it.each([
    ['keywords', () => `host=127.0.0.1,127.0.0.1 port=1,${primary().split(':')[1]} user=example password='example' dbname=postgres target_session_attrs=primary`], // prettier-ignore
    ['a service, whose password is in the password file', () => 'service=shop'],
  ])('of db_poller may be %s', async (_, datasource) => {
    const [host = '', number = ''] = primary().split(':');
    await writeFile(join(folder, 'services'), `[shop]\nhost=${host}\nport=${number}\nuser=example\ndbname=postgres\n`);
    await writeFile(join(folder, 'passwords'), `127.0.0.1:${number}:postgres:example:example\n`, { mode: 0o600 });
    vi.stubEnv('PGSERVICEFILE', join(folder, 'services'));
    vi.stubEnv('PGPASSFILE', join(folder, 'passwords'));
    await using poller = await PollerUnderTest.start({ datasource: datasource(), packs: { postgres_health: {} } });
    await expect.poll(() => poller.series.get('database.connections.limit{}'), { timeout: 5000 }).toBeGreaterThan(0);
  });

  it.each([
    ['a URL', () => `${url([CLOSED, standby(), primary()], 'primary')}&sslmode=disable`],
    ['keywords', () => `host=127.0.0.1,127.0.0.1 port=1,${primary().split(':')[1]} user=example password='example' dbname=postgres sslmode=disable`],
  ])('of sqlquery may name several hosts, as %s', async (_, datasource) => {
    const queries = [{ sql: 'select inet_server_port() as port', metrics: [{ metric_name: 'port', value_column: 'port' }] }];
    await using receiver = await ReceiverUnderTest.start({ datasource: datasource(), queries });
    await expect.poll(() => receiver.series.get('port{}'), { timeout: 5000 }).toBe(Number(primary().split(':')[1]));
  }); // prettier-ignore

  it('without a password reports that', async () => {
    vi.stubEnv('PGPASSFILE', join(folder, 'none'));
    await expect(portOf(`postgresql://example@${primary()}/postgres`)).rejects.toMatchObject({
      reason: 'authentication',
      message: expect.stringMatching(/requires a password, and the datasource has none/),
    });
  });
});
