import { afterAll, beforeAll, expect, it } from 'vitest';
import { backendAttributes as names } from '../../../src/metrics/postgres-sessions.ts';
import { plainAttributes } from '../../support/otlp/otlp-capture.ts';
import { startTestPostgres, type TestPostgres } from '../../support/postgres/test-postgres.ts';
import { runObserved, type ObservedScript } from '../../support/processes/observed-script.ts';

let postgres: TestPostgres;
beforeAll(async () => void (postgres = await startTestPostgres({ schema: false })));
afterAll(async () => await postgres[Symbol.asyncDispose]());

it('names the server process and the transaction of each statement', async () => {
  await using script = await runObserved(
    `import pg from 'pg';
    const pool = new pg.Pool({ connectionString: ${JSON.stringify(postgres.url)}, max: 1 });
    await pool.query('create table cups (id int primary key)');
    const client = await pool.connect();
    const { rows } = await client.query("select pg_backend_pid() as pid, backend_start from pg_stat_activity where pid = pg_backend_pid()");
    await client.query('begin');
    await client.query('insert into cups values (1)');
    const { rows: [{ xact_start }] } = await client.query('select now() as xact_start');
    await client.query('insert into cups values (1)').catch(() => undefined);
    await client.query('rollback');
    await client.query('values (1)');
    client.release();
    await new Promise((resolve) => pool.query('begin; values (2)', resolve));
    await pool.query('commit');
    await pool.query('values (3)');
    await pool.query('table missing').catch(() => undefined);
    await pool.end();
    console.log(JSON.stringify({ ...rows[0], xact_start }));`,
  );
  const { pid, backend_start, xact_start } = JSON.parse(script.stdout);
  const statements = statementsOf(script);
  for (const { attributes } of statements) {
    expect(attributes[names.pid]).toBe(String(pid));
    expect(isWithin(backend_start, attributes[names.connected])).toBe(true);
    expect(attributes).not.toHaveProperty([names.sent]);
  }
  const began = statements.map(({ attributes }) => attributes[names.transactionBegan]);
  const ended = statements.map(({ attributes }) => attributes[names.transactionEnded] === 'true');
  const [, , first] = began;
  expect(began.slice(0, 8)).toEqual([undefined, undefined, first, first, first, first, first, undefined]);
  expect(isWithin(xact_start, first)).toBe(true);
  const [, , , , , , , , second] = began;
  expect(began.slice(8)).toEqual([second, second, undefined, undefined]);
  expect(new Set([first, second, undefined]).size).toBe(3);
  expect(ended.flatMap((isLast, i) => (isLast ? [i] : []))).toEqual([6, 9]);
});

it('shows when a statement was sent that waited for an earlier one', async () => {
  await using script = await runObserved(
    `import pg from 'pg';
    const client = new pg.Client(${JSON.stringify(postgres.url)});
    await client.connect();
    const [, , { rows }] = await Promise.all([
      client.query('select pg_sleep(0.3)'),
      client.query('table missing').catch(() => undefined),
      client.query('select statement_timestamp() as sent'),
    ]);
    process.stdout.write(rows[0].sent.toISOString());
    await client.end();`,
  );
  const sent = statementsOf(script).map(({ attributes }) => attributes[names.sent]);
  expect(sent[0]).toBeUndefined();
  for (const time of sent.slice(1))
    expect(Math.abs(Date.parse(time ?? '') - Date.parse(script.stdout))).toBeLessThan(100);
});

it('knows no server process behind a number that is not a process id, as poolers announce it', async () => {
  await using script = await runObserved(
    `import pg from 'pg';
    const client = new pg.Client(${JSON.stringify(postgres.url)});
    await client.connect();
    client.processID = 1234567890;
    await client.query('values (1)');
    await client.end();`,
  );
  const [statement] = statementsOf(script);
  expect(statement!.attributes).toMatchObject({ [names.pooled]: 'true' });
  expect(statement!.attributes).not.toHaveProperty([names.pid]);
});

/** In the order in which they began. */
function statementsOf({ capture, stderr }: ObservedScript) {
  expect(stderr.replaceAll(/^.*DeprecationWarning.*$|^\(Use.*$/gm, '').trim()).toBe('');
  return capture
    .spans()
    .filter(({ name }) => name.startsWith('pg.query'))
    .map(({ attributes, ...span }) => ({ ...span, attributes: plainAttributes(attributes) }));
}

/** The clock of a test is that of its database. Times have milliseconds. */
function isWithin(time: string, interval: unknown): boolean {
  const [from = '', to = ''] = String(interval).split('/');
  return Date.parse(from) <= Date.parse(time) && Date.parse(time) <= Date.parse(to);
}
