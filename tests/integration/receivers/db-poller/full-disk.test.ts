import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { CollectorProcess, siphonFromSource } from '../../../support/collector-process.ts';
import { freePorts } from '../../../support/free-ports.ts';
import { startTestPostgres } from '../../../support/postgres.ts';
import { waitFor } from '../../../support/wait-for.ts';

it('shows nothing that a full disk could not keep, and loses nothing, whether it was full at the start or later', async (context) => {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'siphon-full-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const smallDisk = inNamespace(`mount -t tmpfs -o size=256k none '${directory}'`);
  if (!(await succeeds([...smallDisk, 'true']))) return context.skip('this system lets us mount no small disk');
  const database = stack.use(await startTestPostgres({ schema: false }));
  await database.sql('create table orders (id int primary key generated always as identity)');
  const [pagePort = 0, ownPort = 0] = await freePorts(2);
  const filled = inNamespace(`mount -t tmpfs -o size=256k none '${directory}'; cat /dev/zero > '${directory}/ballast'`);
  const siphon = stack.use(
    await CollectorProcess.start(
      { name: 'siphon', command: [...filled, ...siphonFromSource.command] },
      configuration({ datasource: database.url, directory, pagePort, ownPort }),
    ),
  );
  const ballast = `/proc/${siphon.pid}/root${directory}/ballast`;
  const shown = (): Promise<number | undefined> => valueOf(pagePort, 'orders_total{');
  const failures = async (): Promise<number> =>
    (await valueOf(ownPort, 'siphon_db_poller_errors{receiver="db_poller",query="orders",reason="storage"}')) ?? 0;
  const failsAgain = async (): Promise<void> => {
    const before = await failures();
    await waitFor(async () => (await failures()) > before, { what: `a write that is refused\n${siphon.logTail}` });
  };

  await failsAgain();
  expect(siphon.logTail).toContain('"reason":"full"');
  expect(await shown()).toBeUndefined();
  await rm(ballast);
  await waitFor(async () => (await shown()) === 0, { what: 'a beginning' });

  await expect(writeFile(ballast, new Uint8Array(2 ** 20))).rejects.toMatchObject({ code: 'ENOSPC' });
  await database.sql('insert into orders select from generate_series(1, 5)');
  await failsAgain();
  expect(await shown()).toBeUndefined();
  await rm(ballast);
  await waitFor(async () => (await shown()) === 5, { what: 'everything' });
  expect(await valueOf(ownPort, 'siphon_file_storage_errors{')).toBeGreaterThan(0);
  expect(await valueOf(ownPort, 'siphon_db_poller_rebaselines{')).toBe(0);
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

/** Sum of the samples whose line begins so; undefined if there are none. */
async function valueOf(port: number, prefix: string): Promise<number | undefined> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  const lines = (await response.text()).split('\n').filter((line) => line.startsWith(prefix));
  if (lines.length === 0) return undefined;
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf('} ') + 2).split(' ', 1)[0]), 0);
}

function configuration(at: { datasource: string; directory: string; pagePort: number; ownPort: number }): unknown {
  const { datasource, directory, pagePort, ownPort } = at;
  const queries = [{ name: 'orders', kind: 'counter', metric_name: 'orders', table: 'public.orders', once: true }];
  return {
    receivers: {
      db_poller: { datasource, storage: 'file_storage', collection_interval: '200ms', initial_delay: '0s', queries },
    },
    exporters: { prometheus: { endpoint: `127.0.0.1:${pagePort}` } },
    extensions: { file_storage: { directory } },
    service: {
      extensions: ['file_storage'],
      telemetry: {
        metrics: { readers: [{ pull: { exporter: { prometheus: { host: '127.0.0.1', port: ownPort } } } }] },
      },
      pipelines: { metrics: { receivers: ['db_poller'], exporters: ['prometheus'] } },
    },
  };
}
