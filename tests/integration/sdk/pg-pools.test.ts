import { afterAll, beforeAll, expect, it } from 'vitest';
import { runObserved } from '../../support/processes/observed-script.ts';
import { startTestPostgres, type TestPostgres } from '../../support/postgres/test-postgres.ts';

let postgres: TestPostgres;
let name: string;
beforeAll(async () => {
  postgres = await startTestPostgres({ schema: false });
  const { hostname, port, pathname } = new URL(postgres.url);
  name = `${hostname}:${port}${pathname}`;
});
afterAll(async () => await postgres[Symbol.asyncDispose]());

/** Returns the points about pools after this part of a script, which may call `pool(max)`. */
async function poolsAfter(body: string): Promise<string[]> {
  await using script = await runObserved(
    `import pg from 'pg';
    import { metrics } from '@opentelemetry/api';
    const connectionString = ${JSON.stringify(postgres.url)};
    const pool = (max, options) => new pg.Pool({ connectionString, max, ...options });
    ${body}
    await metrics.getMeterProvider().forceFlush();
    await new Promise((resolve) => setTimeout(resolve, 200));
    process.exit();`,
  );
  expect(script.stderr).toBe('');
  return script.capture.gauges('db.client.connection.').map((line) => line.replace('db.client.connection.', ''));
}

it('shows an exhausted pool with its waiting requests, one at rest as idle, and pools of one name together', async () => {
  const seen = await poolsAfter(`
    const to = (database) => ({ connectionString: connectionString.replace(/[^/]+$/, database) });
    const leaky = pool(2);
    await Promise.all([leaky.connect(), leaky.connect()]);
    for (let request = 0; request < 20; request++) leaky.query('select 1').catch(() => {});
    const resting = pool(5, to('postgres'));
    await Promise.all(Array.from({ length: 5 }, () => resting.query('select pg_sleep(0.1)')));
    const pools = [pool(2, to('template1')), pool(3, to('template1'))];
    await Promise.all(pools.map((one) => one.connect()));
    await pools[1].query('select 1');`);
  const expected = (
    database: string,
    { idle, used, max, waiting }: Readonly<Record<'idle' | 'used' | 'max' | 'waiting', number>>,
  ): string[] => {
    const pool = name.replace(/[^/]+$/, database);
    return [
      `count{${pool} idle} ${idle}`,
      `count{${pool} used} ${used}`,
      `max{${pool}} ${max}`,
      `pending_requests{${pool}} ${waiting}`,
    ];
  };
  expect(seen.toSorted()).toEqual(
    [
      ...expected(name.replace(/.*\//, ''), { idle: 0, used: 2, max: 2, waiting: 20 }),
      ...expected('postgres', { idle: 5, used: 0, max: 5, waiting: 0 }),
      ...expected('template1', { idle: 1, used: 2, max: 5, waiting: 0 }),
    ].toSorted(),
  );
});

it('forgets pools that ended or were dropped', async () => {
  const seen = await poolsAfter(`
    import { setFlagsFromString } from 'node:v8';
    import { runInNewContext } from 'node:vm';
    const ended = pool(2);
    await ended.query('select 1');
    await ended.end();
    await (async () => {
      const dropped = pool(3, { idleTimeoutMillis: 1 });
      await dropped.query('select 1');
      await new Promise((resolve) => dropped.once('remove', resolve));
    })();
    setFlagsFromString('--expose-gc');
    await new Promise((resolve) => setTimeout(resolve, 100));
    runInNewContext('gc')();
    await new Promise((resolve) => setTimeout(resolve, 10));`);
  expect(seen).toEqual([]);
});
