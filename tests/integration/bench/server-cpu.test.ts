import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { sessionsCpuShare } from '../../bench/database/server-cpu.ts';
import { startTestPostgres } from '../../support/postgres/test-postgres.ts';

const APPLICATION = 'measured';
const MEASURED_MS = 800;
const BURN = `do $$ begin while clock_timestamp() < now() + interval '0.5 s' loop end loop; end $$`;

describe('the share of a core that sessions of a database take', () => {
  it('is of the time that is measured, whatever they did before', async (context) => {
    await using database = await startTestPostgres({ schema: false });
    await using stack = new AsyncDisposableStack();
    const sessions = [await connect(stack, database.url), await connect(stack, database.url)];
    for (const session of sessions) await session.query(BURN);
    const share = await sessionsCpuShare(database.url, APPLICATION, MEASURED_MS);
    if (share === undefined) return context.skip('the processes of the server are not to be seen from here');
    expect(share).toBeLessThan(0.02);
    const busy = sessionsCpuShare(database.url, APPLICATION, MEASURED_MS);
    for (const session of sessions) await session.query(BURN);
    expect(await busy).toBeGreaterThan(0.1);
  });
});

async function connect(stack: AsyncDisposableStack, connectionString: string): Promise<Client> {
  const client = new Client({ connectionString, application_name: APPLICATION });
  await client.connect();
  stack.defer(async () => await client.end());
  return client;
}
