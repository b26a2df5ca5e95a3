import { statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startTestPostgres } from '../support/postgres/test-postgres.ts';
import { waitFor } from '../support/wait-for.ts';
import { CountingSidecar } from '../support/processes/counting-sidecar.ts';

/** The keys that are remembered of so many rows make a file that is not compacted in no time. */
const OLD_ORDERS = 200_000;
/** Progress of a compaction when it is killed, as a share of its output, which is about the size of the file. */
const PROGRESS = [0.02, 0.3, 0.6, 0.9];
/** More than anything else writes when siphon starts. */
const LEAST_BYTES = 256 * 1024;

it(
  'loses nothing, and counts nothing twice, however far the compaction of its storage was when it was killed',
  { timeout: 120_000 },
  async () => {
    await using stack = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), 'siphon-compaction-'));
    stack.defer(() => rm(directory, { recursive: true, force: true }));
    const database = stack.use(await startTestPostgres({ schema: false }));
    await database.sql(`create table orders (id int primary key generated always as identity, state int not null default 0);
      insert into orders select from generate_series(1, ${OLD_ORDERS})`);
    const settings = { datasource: database.url, directory, compaction: { on_start: true } };
    const file = join(directory, 'receiver.db_poller.sqlite');
    let entered = 0;
    const enter = async (orders: number): Promise<void> => {
      await database.sql(`insert into orders select from generate_series(1, ${orders})`);
      entered += orders;
    };
    /** Restarts, and is stopped when it has shown all that was entered, each once. */
    const isExact = async (): Promise<void> => {
      await using siphon = await CountingSidecar.start(settings);
      await waitFor(async () => (await siphon.orders()) === entered, { what: `${entered} orders\n${siphon.process.logTail}` }); // prettier-ignore
      // Without the stored keys, these rows would count as new.
      await database.sql('update orders set state = state + 1 where id <= 5000');
      await enter(10);
      await waitFor(async () => ((await siphon.orders()) ?? 0) >= entered, { what: `${entered} orders` });
      expect(await siphon.orders()).toBe(entered);
      for (const alarm of [
        'siphon_db_poller_rebaselines{',
        'siphon_file_storage_errors{',
        'siphon_file_storage_set_aside_files{',
      ])
        // prettier-ignore
        expect((await siphon.own(alarm)) ?? 0, alarm).toBe(0);
    };

    await isExact();
    // The keys are in the file only now, and no longer in its log.
    await isExact();
    for (const progress of PROGRESS) {
      await enter(10);
      // The log of the run before is written over, and keeps its size until the compaction exceeds it.
      const bytes = Math.max(statSync(`${file}-wal`).size + LEAST_BYTES, progress * statSync(file).size);
      await killWhenWritten(await CountingSidecar.launch(settings), `${file}-wal`, bytes);
      await enter(10);
      await isExact();
    }
  },
);

async function killWhenWritten(siphon: CountingSidecar, log: string, bytes: number): Promise<void> {
  while (statSync(log).size < bytes) await nextTurn();
  await siphon[Symbol.asyncDispose]();
}
