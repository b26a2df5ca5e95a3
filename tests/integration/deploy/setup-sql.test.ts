import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { statementsOf } from '../../../examples/postgres/shipped-sql.ts';
import { runSql, startTestPostgres, type TestPostgres } from '../../support/postgres/test-postgres.ts';
import { runCommand } from '../../support/processes/run-command.ts';

const PIPELINE = ['--config', 'otel-collector.yaml', '--config', 'examples/coffee/otel-collector.yaml'];

it.each([
  ['role.sql', ['--config', 'otel-collector.yaml']],
  ['role-undo.sql', ['--config', 'otel-collector.yaml', '--undo']],
  ['scrape-pipeline.sql', PIPELINE],
  ['scrape-pipeline-undo.sql', [...PIPELINE, '--undo']],
])('deploy/postgres/%s is what the command prints', async (file, options) => {
  const { exitCode, printed } = await runCommand(['doctor', '--sql', ...options]);
  expect(exitCode).toBe(0);
  await expect(`${printed}\n`).toMatchFileSnapshot(`../../../deploy/postgres/${file}`);
});

it.each([
  [['--undo'], 2, '--undo and --role need --sql'],
  [['--role', 'me'], 2, '--undo and --role need --sql'],
  [['--sql', '--config', 'yaml:{receivers: {otlp: {protocols: {http: }}}, exporters: {debug: }, service: {pipelines: {metrics: {receivers: [otlp], exporters: [debug]}}}}'], 1, 'no component in a pipeline of this configuration uses a database: add db_poller, which siphon init writes when DATABASE_URL is set'],
] as const)('doctor %s is refused', async (options, code, error) => {
  const { exitCode, errors } = await runCommand(['doctor', ...options]);
  expect({ exitCode, error: errors.split('\n')[0] }).toEqual({ exitCode: code, error });
}); // prettier-ignore

const QUERIES = [
  { name: 'orders', kind: 'counter', metric_name: 'orders', table: 'shop.order', time_column: 'created_at' },
  { name: 'timed', kind: 'counter', metric_name: 'timed', table: 'shop.timed', time_column: 'at' },
  { name: 'parts', kind: 'counter', metric_name: 'parts', table: 'shop.parts', time_column: 'at' },
  { name: 'odd', kind: 'counter', metric_name: 'odd', table: 'My Shop.Größe', labels: [{ name: 'shop', column: 'id', lookup: { table: 'shop.named', column: 'name' } }] },
  { name: 'direct', kind: 'gauge', metric_name: 'direct', table: 'shop.direct', value: 'n / 2' },
  { name: 'gone', kind: 'counter', metric_name: 'gone', table: 'shop.gone', time_column: 'at' },
  { name: 'queue', kind: 'gauge', metric_name: 'queue', value_column: 'n', sql: "select count(*) as n from shop.jobs where state <> '$$' -- waiting" },
  { name: 'view', kind: 'gauge', metric_name: 'view', value_column: 'n', sql: 'select count(*) as n from shop.open_jobs;' },
  { name: 'broken', kind: 'gauge', metric_name: 'broken', value_column: 'n', sql: 'select n from shop.nowhere' },
  { name: 'show', kind: 'gauge', metric_name: 'show', value_column: 'work_mem', sql: 'show work_mem' },
]; // prettier-ignore

let database: TestPostgres;
let role: string;
beforeEach(() => {
  role = `siphon_test_${randomBytes(6).toString('hex')}`;
});
beforeAll(async () => {
  database = await startTestPostgres({ schema: false });
  await database.sql(`
    create schema shop; create schema "My Shop";
    create table shop.order (id bigint primary key, created_at timestamptz);
    create table shop.timed (id bigint primary key, at timestamptz); create index mine on shop.timed (at, id);
    create table shop.parts (id bigint, at timestamptz, primary key (id, at)) partition by range (at);
    create table "My Shop"."Größe" (id bigint primary key);
    create table shop.jobs (id bigint primary key, state text); create table shop.untouched (id bigint);
    alter table shop.jobs enable row level security; insert into shop.jobs values (1, 'waiting');
    create table shop.named (id bigint primary key, name text); create view shop.direct as select count(*) as n from shop.jobs;
    create view shop.open_jobs as select * from shop.jobs; create sequence shop.numbers; select nextval('shop.numbers')`);
});
afterAll(() => database[Symbol.asyncDispose]());

/** The statements for these queries, of a configuration with one receiver. */
async function setupSql(datasource: string, ...options: string[]): Promise<string> {
  const config = {
    receivers: { db_poller: { datasource, queries: QUERIES, packs: { postgres_health: {} } } },
    exporters: { debug: {} },
    service: { pipelines: { metrics: { receivers: ['db_poller'], exporters: ['debug'] } } },
  };
  const args = ['doctor', '--sql', '--role', role, '--config', `yaml:${JSON.stringify(config)}`, ...options];
  const { exitCode, printed: text, errors } = await runCommand(args);
  expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
  return text;
}

/** Runs each statement in a message of its own, as psql does. Returns the warnings. */
async function run(sql: string, url = database.url): Promise<string[]> {
  const client = new Client({ connectionString: url });
  const warnings: string[] = [];
  client.on('notice', ({ severity, message = '' }) => severity === 'WARNING' && warnings.push(message));
  await client.connect();
  try {
    for (const statement of statementsOf(sql)) await client.query(statement);
    return warnings;
  } finally {
    await client.end();
  }
}

it('grants what the queries read, builds the indexes that do not exist, and takes everything back', async () => {
  const before = await database.sql(STATE);
  const sql = await setupSql(database.url);
  for (let i = 0; i < 2; i++)
    expect(await run(sql)).toEqual([
      'table shop.gone does not exist',
      'cannot find out which tables broken reads, grant select on them: relation "shop.nowhere" does not exist',
    ]);
  const [{ granted } = {}] = await database.sql(
    `select array_agg(oid::regclass::text order by oid::regclass::text collate "C") as granted from pg_class, aclexplode(relacl) acl
     where acl.grantee = (select oid from pg_roles where rolname = $1)`,
    [role],
  );
  expect(granted).toEqual(['"My Shop"."Größe"', 'shop."order"', 'shop.direct', 'shop.jobs', 'shop.named', 'shop.numbers', 'shop.open_jobs', 'shop.parts', 'shop.timed']);
  expect(await indexes()).toEqual(['shop.siphon_order_created_at', 'shop.siphon_parts_at']);
  expect(await setupSql(database.url)).not.toContain('create index');

  await database.sql(`alter role ${role} password 'secret'`);
  const url = Object.assign(new URL(database.url), { username: role, password: 'secret' }).href;
  expect(await runSql(url, 'select count(*)::int as n from shop.jobs')).toEqual([{ n: 1 }]);
  expect(await runSql(url, "select pg_sequence_last_value('shop.numbers'::regclass)::int as n, count(*) > 0 as has_files from pg_ls_waldir()")).toEqual([{ n: 1, has_files: true }]);
  await expect(runSql(url, "set default_transaction_read_only = off; select nextval('shop.numbers')")).rejects.toThrow('permission denied');
  expect(await runSql(url, 'show statement_timeout')).toEqual([{ statement_timeout: '1min' }]);

  const undo = await setupSql(database.url, '--undo');
  for (let i = 0; i < 2; i++) await run(undo);
  expect(await database.sql(STATE)).toEqual(before);
  expect(await database.sql('select from pg_roles where rolname = $1', [role])).toEqual([]);
}); // prettier-ignore

const STATE = `
  select relname, coalesce(relacl, acldefault((case relkind when 'S' then 's' else 'r' end)::"char", relowner))::text as rights, (select count(*)::int from pg_policy where polrelid = oid) as policies
  from pg_class where relkind <> 'i' and relnamespace in ('shop'::regnamespace, '"My Shop"'::regnamespace) order by relname`;

async function indexes(): Promise<unknown[]> {
  const rows = await database.sql(`select indexrelid::regclass::text as name from pg_index where indisvalid and indexrelid::regclass::text like '%siphon%' order by 1`); // prettier-ignore
  return rows.map(({ name }) => name);
}

it('prints every index if the database does not answer, and reports that', async () => {
  const sql = await setupSql('postgresql://127.0.0.1:1/none');
  expect(sql).toContain('The database was not asked');
  expect(sql.match(/create index concurrently if not exists \S+/g)).toHaveLength(4);
});

it('refuses a role that writes tables, before it changes it', async () => {
  await database.sql(`create role ${role} login; grant insert on shop.jobs to ${role}`);
  await expect(run(await setupSql(''))).rejects.toThrow('is a superuser, or writes tables');
  expect(await database.sql('select rolconfig from pg_roles where rolname = $1', [role])).toEqual([{ rolconfig: null }]);
  await run(await setupSql('', '--undo'));
}); // prettier-ignore

it('lets an owner without superuser run it and take it back', async () => {
  const owner = `${role}_owner`;
  await database.sql(`create role ${owner} login createrole password 'secret'; alter table shop.timed owner to ${owner}; alter schema shop owner to ${owner}; create sequence public.numbers`); // prettier-ignore
  const url = Object.assign(new URL(database.url), { username: owner, password: 'secret' }).href;
  const config = { receivers: { db_poller: { datasource: '', queries: [QUERIES[1]], packs: { postgres_health: {} } } }, exporters: { debug: {} }, service: { pipelines: { metrics: { receivers: ['db_poller'], exporters: ['debug'] } } } }; // prettier-ignore
  const args = ['doctor', '--sql', '--role', role, '--config', `yaml:${JSON.stringify(config)}`];
  const refused = await run((await runCommand(args)).printed, url);
  expect(refused).toEqual(
    expect.arrayContaining([
      'cannot grant execute on pg_ls_waldir(): permission denied for function pg_ls_waldir',
      'cannot grant select on sequence public.numbers: permission denied for sequence numbers',
    ]),
  );
  await run((await runCommand([...args, '--undo'])).printed, url);
  expect(await database.sql('select from pg_roles where rolname = $1', [role])).toEqual([]);
  await database.sql(`reassign owned by ${owner} to current_user; drop owned by ${owner}; drop role ${owner}`);
});
