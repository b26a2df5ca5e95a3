/** Executes every command of every runbook on a real system, with the role that the runbook names. */
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import shop from '../../examples/shop/pack.ts';
import { packs } from '../../src/packs/index.ts';
import { alertmanagerMissing } from '../support/alerts/alertmanager-server.ts';
import { runSql, startTestPostgres } from '../support/postgres/test-postgres.ts';
import { prometheusMissing } from '../support/prometheus/prometheus-server.ts';
import { MonitoredMachine } from '../support/runbooks/monitored-machine.ts';
import { runbookCommands } from '../support/runbooks/runbook-commands.ts';

const psqlMissing =
  spawnSync('psql', ['--version']).status === 0 ? undefined : 'no `psql` on the PATH (Debian: postgresql-client)';
/** Repairs end sessions of the whole server. */
const serverIsShared = process.env['SIPHON_TEST_POSTGRES_URL'] && 'SIPHON_TEST_POSTGRES_URL names a shared server';
const missing = prometheusMissing ?? alertmanagerMissing ?? psqlMissing ?? serverIsShared;
if (missing) process.stderr.write(`The runbooks are not executed: ${missing}\n`);

const commands = runbookCommands(packs);
const found = (runbook: string, part: string) => {
  const command = commands.find((one) => one.runbook === runbook && one.text.includes(part));
  if (command === undefined) throw new Error(`${runbook} has no ${part}`);
  return command;
};

it('finds the commands', () => {
  const counts = Object.groupBy(commands, ({ language }) => language);
  expect(counts.promql?.length).toBeGreaterThan(30);
  expect(counts.sql?.length).toBeGreaterThan(30);
  expect(counts.sh?.length).toBeGreaterThan(15);
});

describe.skipIf(missing)('on a monitored machine', () => {
  let machine: MonitoredMachine;
  beforeAll(async () => {
    machine = await MonitoredMachine.start();
    await machine.prometheus.found('count(database_connections_used) and count(siphon_db_poller_leader)');
  }, 120_000);
  afterAll(() => machine?.[Symbol.asyncDispose]());

  it.each(commands)('$runbook, as $role: $language $text', async (command) => {
    const output = await machine.run(command);
    expect(output).not.toMatch(/^(?:WARNING|ERROR)/m);
    if (command.language !== 'promql' && !/--silent|kill/.test(command.text)) expect(output).not.toBe('');
  });

  it('compares the address of the sidecar with that of psql', async () => {
    const printed = await machine.run(found('DatabaseDown', 'print-config'));
    const { username, host, pathname, password } = new URL(machine.database.pollerUrl);
    expect(printed).toContain(`postgresql://${username}:[REDACTED]@${host}${pathname}`);
    expect(printed).not.toContain(password);
  });

  it.each([
    ['ConnectionsNearLimit', 'select 1', `interval '1 hour'`],
    ['IdleInTransaction', 'begin; select 1', `interval '5 minutes'`],
  ])('ends the session of another role, as %s describes', async (runbook, statement, age) => {
    const { pollerRole, url } = machine.database;
    const role = `${pollerRole}_${runbook.toLowerCase()}`;
    await machine.database.sql(`create role ${role} login password 'victim'`);
    const victim = await session(Object.assign(new URL(url), { username: role, password: 'victim' }).href, 'shop');
    const superuser = await session(url, 'superuser');
    try {
      for (const { client } of [victim, superuser]) await client.query(statement);
      const repair = found(runbook, 'pg_terminate_backend');
      const output = await machine.run({ ...repair, text: repair.text.replace(age, `interval '0 s'`) });
      expect(output).toMatch(new RegExp(`${victim.pid} +\\| ${role} +\\| t`));
      await expect(victim.client.query('select 1')).rejects.toThrow();
      await expect(superuser.client.query('select 1')).resolves.toBeDefined();
      await expect(machine.run({ ...repair, role: 'sidecar' })).resolves.not.toContain(`| ${role}`);
    } finally {
      await Promise.all([victim, superuser].map(({ client }) => client.end().catch(() => undefined)));
    }
  });

  it('ends the leader of this database only, as PollerWithoutLeader describes', async () => {
    const { url } = machine.database;
    await machine.database.sql('create database other');
    const other = Object.assign(new URL(url), { pathname: '/other' }).href;
    const leader = await session(other, 'siphon leader election');
    try {
      await leader.client.query('select pg_advisory_lock(1)');
      // The command itself has ended the leader before.
      await expect.poll(() => leaders(url), { timeout: 20_000 }).not.toEqual([]);
      const pidsBefore = await leaders(url);
      const output = await machine.run(found('PollerWithoutLeader', 'pg_terminate_backend'));
      expect(output).toMatch(/\| t$/m);
      expect(output).not.toContain(String(leader.pid));
      await expect(leader.client.query('select 1')).resolves.toBeDefined();
      await expect.poll(() => leaders(url), { timeout: 20_000 }).not.toEqual(pidsBefore);
    } finally {
      await leader.client.end();
      await machine.database.sql('drop database other with (force)');
    }
  });
});

it('executes the statements of the example shop as the role of its sidecar', async () => {
  await using database = await startTestPostgres({ schema: false });
  await database.sql(await readFile(new URL('../../examples/shop/schema.sql', import.meta.url), 'utf8'));
  await database.sql(`grant select on all tables in schema public to ${database.pollerRole}`);
  const statements = runbookCommands([shop]).filter(({ language }) => language === 'sql');
  expect(statements.length).toBeGreaterThan(1);
  for (const { text, role } of statements) await runSql(role === 'owner' ? database.url : database.pollerUrl, text);
});

async function session(url: string, name: string): Promise<{ readonly client: Client; readonly pid: number }> {
  const client = new Client({ connectionString: url, application_name: name });
  client.on('error', () => undefined);
  await client.connect();
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return { client, pid: rows[0]!.pid };
}

async function leaders(url: string): Promise<unknown[]> {
  return await runSql(
    url,
    `select pid from pg_stat_activity where application_name = 'siphon leader election' and datname = current_database()`,
  );
}
