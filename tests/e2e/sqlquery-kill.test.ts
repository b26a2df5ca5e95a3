import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { startTestPostgres } from '../support/postgres/test-postgres.ts';
import { waitFor } from '../support/wait-for.ts';

const tail = fileURLToPath(new URL('../support/processes/sqlquery-log-process.ts', import.meta.url));
const KILLS = 8;
const ROWS_A_ROUND = 500;

it('hands over every row at least once, and few twice, however often the process is killed', async () => {
  await using database = await startTestPostgres({ schema: false });
  await database.sql('create table tail (id bigint generated always as identity)');
  const directory = await mkdtemp(path.join(tmpdir(), 'siphon-tail-'));
  const output = path.join(directory, 'output');
  const ids = (): string[] => (existsSync(output) ? readFileSync(output, 'utf8').trimEnd().split('\n') : []);
  const follow = () =>
    spawn(process.execPath, [tail, `${database.url}?sslmode=disable`, directory, output], { stdio: 'inherit' });
  try {
    for (let kill = 1; kill <= KILLS; kill++) {
      const child = follow();
      const before = ids().length;
      for (let i = 0; i < ROWS_A_ROUND / 100; i++)
        await database.sql('insert into tail select from generate_series(1, 100)');
      await waitFor(() => ids().length > before, { what: 'further rows' });
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    const child = follow();
    const all = KILLS * ROWS_A_ROUND;
    await waitFor(() => new Set(ids()).size === all, { what: `${all} different rows` });
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect(new Set(ids())).toEqual(new Set(Array.from({ length: all }, (_, i) => String(i + 1))));
    expect(ids().length).toBeLessThanOrEqual(all + KILLS * ROWS_A_ROUND);
  } finally {
    await rm(directory, { recursive: true });
  }
});
