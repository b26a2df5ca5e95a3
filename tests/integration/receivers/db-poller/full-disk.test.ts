import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { startTestPostgres } from '../../../support/postgres/test-postgres.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { CountingSidecar } from '../../../support/processes/counting-sidecar.ts';

it('shows nothing that a full disk could not keep, and loses nothing, whether it was full at the start or later', async (context) => {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'siphon-full-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const smallDisk = inNamespace(`mount -t tmpfs -o size=256k none '${directory}'`);
  if (!(await succeeds([...smallDisk, 'true']))) return context.skip('this system lets us mount no small disk');
  const database = stack.use(await startTestPostgres({ schema: false }));
  await database.sql('create table orders (id int primary key generated always as identity)');
  const within = inNamespace(`mount -t tmpfs -o size=256k none '${directory}'; cat /dev/zero > '${directory}/ballast'`);
  const siphon = stack.use(await CountingSidecar.start({ datasource: database.url, directory, within }));
  const ballast = `/proc/${siphon.process.pid}/root${directory}/ballast`;
  const shown = (): Promise<number | undefined> => siphon.orders();
  const failures = async (): Promise<number> =>
    (await siphon.own('siphon_db_poller_errors{receiver="db_poller",query="orders",reason="storage"}')) ?? 0;
  const failsAgain = async (): Promise<void> => {
    const before = await failures();
    await waitFor(async () => (await failures()) > before, {
      what: `a write that is refused\n${siphon.process.logTail}`,
    });
  };

  await failsAgain();
  expect(siphon.process.logTail).toContain('"reason":"full"');
  expect(await shown()).toBeUndefined();
  await rm(ballast);
  await waitFor(async () => (await shown()) === 0, { what: 'a beginning' });

  await expect(writeFile(ballast, new Uint8Array(2 ** 20))).rejects.toMatchObject({ code: 'ENOSPC' });
  await database.sql('insert into orders select from generate_series(1, 5)');
  await failsAgain();
  expect(await shown()).toBeUndefined();
  await rm(ballast);
  await waitFor(async () => (await shown()) === 5, { what: 'everything' });
  expect(await siphon.own('siphon_file_storage_errors{')).toBeGreaterThan(0);
  expect(await siphon.own('siphon_db_poller_rebaselines{')).toBe(0);
});

/** A command that runs what follows where only it sees what the script has mounted. */
function inNamespace(script: string): [string, ...string[]] {
  return ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', `${script}; exec "$@"`, 'sh'];
}

async function succeeds([file = '', ...args]: readonly string[]): Promise<boolean> {
  return await promisify(execFile)(file, args).then(
    () => true,
    () => false,
  );
}
