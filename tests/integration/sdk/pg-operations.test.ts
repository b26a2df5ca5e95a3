import { expect, it } from 'vitest';
import { plainAttributes } from '../../support/otlp/otlp-capture.ts';
import { runObserved } from '../../support/processes/observed-script.ts';
import { startTestPostgres } from '../../support/postgres/test-postgres.ts';

it('measures statements by their command and kind of error, and sends no literal as a label or name', async () => {
  await using postgres = await startTestPostgres({ schema: false });
  await using script = await runObserved(
    `import pg from 'pg';
    import { metrics } from '@opentelemetry/api';
    const client = new pg.Client(${JSON.stringify(postgres.url)});
    await client.connect();
    const rows = async (statement, values) => console.log(JSON.stringify((await client.query(statement, values)).rows));
    await rows("select\\n'literal-secret'\\nas a");
    await rows('-- name: literal-secret\\nwith b as (select 1) select $1::int as b', [2]);
    await client.query('copy missing from stdin').catch(({ code }) => console.log(code));
    const callback = (error, result) => console.log(error?.code ?? JSON.stringify(result.rows));
    const done = (statement, ...rest) => new Promise((resolve) => client.query(statement, ...rest, (...all) => resolve(callback(...all))));
    await done('delete from missing');
    await done({ text: 'values (3)' });
    let again;
    const reused = { text: 'table missing', callback: (...all) => again(callback(...all)) };
    for (const time of [1, 2]) await new Promise((resolve) => { again = resolve; client.query(reused); });
    await new Promise((resolve) => client.query(new pg.Query({ text: 'show search_path', callback: resolve })));
    await client.end();`,
  );
  const { capture, stderr, stdout } = script;
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toEqual([
    '[{"a":"literal-secret"}]',
    '[{"b":2}]',
    '42P01',
    '42P01',
    '[{"column1":3}]',
    '42P01',
    '42P01',
  ]);
  const measured = capture
    .metrics()
    .filter(({ name }) => name === 'db.client.operation.duration')
    .flatMap(({ histogram }) => histogram?.data_points ?? [])
    .map(({ attributes, count }) => {
      const { 'db.operation.name': verb, 'error.type': error = 'ok' } = plainAttributes(attributes);
      return `${verb} ${error} ${count}`;
    });
  expect(measured.toSorted()).toEqual([
    'COPY 42P01 1',
    'DELETE 42P01 1',
    'SELECT ok 2',
    'SHOW ok 1',
    'TABLE 42P01 2',
    'VALUES ok 1',
  ]);
  // The exception itself is recorded where nothing catches it: a second one would be a second error.
  const failed = capture.spans().filter(({ status }) => status?.code === 'STATUS_CODE_ERROR');
  expect(failed).toHaveLength(4);
  for (const { attributes, events, status } of failed) {
    expect(plainAttributes(attributes)).toMatchObject({ 'error.type': '42P01', 'db.response.status_code': '42P01' });
    expect([events ?? [], status?.message]).toEqual([[], '42P01']);
  }
  const database = new URL(postgres.url).pathname.slice(1);
  const names = new Set(capture.spans().map(({ name }) => name));
  expect([...names].toSorted()).toEqual([
    'pg.connect',
    ...['COPY', 'DELETE', 'SELECT', 'SHOW', 'TABLE', 'VALUES'].map((verb) => `pg.query:${verb} ${database}`),
  ]);
});

it('sends no value of a statement that failed', async () => {
  await using postgres = await startTestPostgres({ schema: false });
  await using script = await runObserved(
    `import pg from 'pg';
    const client = new pg.Client(${JSON.stringify(postgres.url)});
    await client.connect();
    await client.query("select 's3cret'::int").catch(() => undefined);
    await client.query('select $1::int', ['s3cret']).catch(() => undefined);
    await client.end();`,
  );
  const failed = script.capture.spans().filter(({ status }) => status?.code === 'STATUS_CODE_ERROR');
  expect(failed).toHaveLength(2);
  expect(JSON.stringify(failed)).not.toContain('s3cret');
});

it('records the fields of a database error that nothing catches, without values', async () => {
  await using postgres = await startTestPostgres({ schema: false });
  await using script = await runObserved(
    `import pg from 'pg';
    const pool = new pg.Pool({ connectionString: ${JSON.stringify(postgres.url)}, max: 1 });
    const failed = [];
    process.on('uncaughtException', ({ code }) => failed.push(code));
    await pool.query('create table cups (id int constraint one_cup primary key)');
    await pool.query('insert into cups values (4711)');
    for (const text of ['insert into cups values (4711)', "select 's3cret'::int", 'table missing']) {
      void pool.query(text);
      const { length } = failed;
      while (failed.length === length) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await pool.end();`,
  );
  const recorded = script.capture
    .spans()
    .flatMap(({ events = [] }) => events.map((event) => plainAttributes(event.attributes)));
  expect(recorded).toMatchObject([
    {
      'exception.type': 'error',
      'exception.message': 'duplicate key value violates unique constraint "one_cup"',
      'db.response.status_code': '23505',
      'db.collection.name': 'cups',
      'db.postgresql.constraint': 'one_cup',
    },
    { 'db.response.status_code': '22P02', 'exception.message': 'invalid input syntax for type integer: "?"' },
    { 'db.response.status_code': '42P01', 'exception.message': 'relation "missing" does not exist' },
  ]);
  expect(recorded[0]?.['exception.stacktrace']).toMatch(/^error: duplicate key .*\n +at /);
  expect(JSON.stringify(script.capture.spans())).not.toMatch(/s3cret|4711/);
});
