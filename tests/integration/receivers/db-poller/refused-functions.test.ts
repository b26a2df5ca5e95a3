import { afterAll, beforeAll, expect, it } from 'vitest';
import { dbPollerReceiver } from '../../../../src/components/receivers/db-poller/factory.ts';
import { packs as builtInPacks } from '../../../../src/packs/index.ts';
import { findingsOf } from '../../../support/components/findings.ts';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { counting, RESTARTED, shows, staysAt } from './counter-under-test.ts';
import { MemoryExtension } from './memory-extension.ts';

const WAL = 'pg_current_wal_insert_lsn(), pg_current_wal_flush_lsn(), pg_walfile_name(pg_lsn)';
const CONTROL = 'pg_control_system(), pg_control_checkpoint()';
const REPORT =
  'The server refuses functions that counting uses: it continues without them; siphon doctor names the effect';

const query = { table: 'public.orders' };
const others = [
  { name: 'orders', kind: 'counter', metric_name: 'orders', ...query },
  { name: 'again', kind: 'counter', metric_name: 'again', ...query },
];
const settings = { storage: 'file_storage', queries: others };

let database: TestPostgres;
beforeAll(async () => {
  database = await startTestPostgres({ schema: false, parameters: { wal_writer_delay: '10ms' } });
  await database.sql(`create table orders (id bigint generated always as identity primary key); grant select on orders to ${database.pollerRole}`); // prettier-ignore
});
afterAll(() => database[Symbol.asyncDispose]());

const insert = async (rows: number): Promise<void> => {
  await database.sql(`insert into orders select from generate_series(1, ${rows})`);
};
const refuse = async (functions: string): Promise<void> => {
  await database.sql(`revoke execute on function ${functions} from public`);
};
const offer = async (functions: string): Promise<void> => {
  await database.sql(`grant execute on function ${functions} to public`);
};

it.each([
  ['of the log', WAL, 'of its write-ahead log'],
  ['about the server', CONTROL, 'about its identity'],
  ['of both kinds', `${WAL}, ${CONTROL}`, 'of its write-ahead log'],
])('counts without the functions %s, and reports it once', async (_what, functions, finding) => {
  await refuse(functions);
  const extensions = { file_storage: new MemoryExtension() };
  await using poller = await counting(database.pollerUrl, query, settings, extensions);
  await insert(10);
  await shows(poller, 10);
  await shows(poller, 10, { series: 'again{}' });
  expect(poller.said(REPORT)).toBe(1);
  const found = await findingsOf(dbPollerReceiver(builtInPacks), { datasource: database.pollerUrl, queries: others });
  expect(found.filter(({ what }) => what.includes(finding))).toHaveLength(1);

  await offer(functions);
  await poller.shutdown();
  await using later = await counting(database.pollerUrl, query, settings, extensions);
  await insert(5);
  await staysAt(later, 15);
  expect(later.said(RESTARTED) + poller.said(RESTARTED)).toBe(0);
});

it('continues when the functions are refused while it polls', async () => {
  await using poller = await counting(database.pollerUrl, query);
  await insert(3);
  await shows(poller, 3);
  await refuse(WAL);
  await insert(2);
  await staysAt(poller, 5);
  expect(poller.said(RESTARTED)).toBe(0);
  await offer(WAL);
});

it('names the function that a query of postgres_health may not call', async () => {
  const config = { datasource: database.pollerUrl, packs: { postgres_health: {} } };
  const found = async (): Promise<string[]> =>
    (await findingsOf(dbPollerReceiver(builtInPacks), config)).flatMap(({ what }) => (what.includes('wal_files') ? [what] : [])); // prettier-ignore
  expect(await found()).toEqual([]);
  await database.sql(`revoke execute on function pg_ls_waldir() from ${database.pollerRole}`);
  expect(await found()).toEqual([
    expect.stringMatching(/lacks pg_ls_waldir\(\); to have them, .* grant execute on function pg_ls_waldir\(\)/),
  ]);
  await database.sql(`grant execute on function pg_ls_waldir() to ${database.pollerRole}`);
});

it('notes which version has what the server lacks', async (context) => {
  const [server] = await database.sql(`select current_setting('server_version_num')::int / 10000 as version`);
  const version = Number(server!['version']);
  if (version >= 16) context.skip('the server has everything');
  const config = { datasource: database.pollerUrl, packs: { postgres_health: {} } };
  const what = `postgres_health.io has no values on this version: the server is PostgreSQL ${version}, and 16 introduced pg_stat_io`;
  expect((await findingsOf(dbPollerReceiver(builtInPacks), config)).filter(({ severity }) => severity === 'note')).toContainEqual({ severity: 'note', what }); // prettier-ignore
});
