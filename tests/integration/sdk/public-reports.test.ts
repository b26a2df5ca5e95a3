/** Faults of other instrumentations that users reported: the preload must not have them. */
import { once } from 'node:events';
import { createRequire } from 'node:module';
import type { AddressInfo, Server } from 'node:net';
import { expect, it } from 'vitest';
import { plainAttributes } from '../../support/otlp/otlp-capture.ts';
import { startTestPostgres } from '../../support/postgres/test-postgres.ts';
import { runObserved } from '../../support/processes/observed-script.ts';

/** opentelemetry-js-contrib 3458 and 3547, dd-trace-js 2056. */
it('adds no listeners for each middleware, and keeps the storage of the service', async () => {
  await using run = await runObserved(`
    import { AsyncLocalStorage } from 'node:async_hooks';
    import express from 'express';
    const storage = new AsyncLocalStorage();
    const app = express();
    for (let i = 0; i < 30; i++) app.use((request, response, next) => setImmediate(next));
    app.use((request, response, next) => storage.run({ path: request.path }, next));
    app.get('/users/:id', async (request, response) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      response.json([storage.getStore(), response.listenerCount('close') + request.listenerCount('close')]);
    });
    const server = app.listen(0, '127.0.0.1', async () => {
      console.log(await (await fetch('http://127.0.0.1:' + server.address().port + '/users/1')).text());
      process.exit(0);
    });`);
  expect(run).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(run.stdout)).toEqual([{ path: '/users/1' }, expect.any(Number)]);
  expect((JSON.parse(run.stdout) as number[])[1]).toBeLessThan(5);
});

/** opentelemetry-js 5477: a hook that looks at the response must not start to read it. */
it('leaves a response to a listener that comes late', async () => {
  await using run = await runObserved(`
    import { createServer, get } from 'node:http';
    const server = createServer((request, response) => response.end('whole')).listen(0, '127.0.0.1', () => {
      get({ port: server.address().port, agent: false }, (response) => setTimeout(() => {
        console.log(response.readableFlowing);
        response.on('data', (chunk) => console.log(String(chunk))).on('end', () => process.exit(0));
      }, 100));
    });`);
  expect(run).toMatchObject({ code: 0, stderr: '', stdout: 'null\nwhole\n' });
});

/** opentelemetry-js-contrib 1431, 991 and 3258; dd-trace-js 8826 for pg. */
it('returns what pg returns, accepts what pg accepts, and answers in the context of the caller', async () => {
  await using postgres = await startTestPostgres({ schema: false });
  await using run = await runObserved(
    `
    import pg from 'pg';
    import { trace } from '@opentelemetry/api';
    class Template { constructor(value) { this.values = [value]; } get text() { return 'select $1::int as it'; } }
    const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1 });
    const client = await pool.connect();
    const query = new pg.Query('select 1 as it');
    console.log(client.query(query) === query);
    await new Promise((resolve) => query.on('end', resolve));
    console.log((await client.query(new Template(5))).rows[0].it);
    client.release();
    const tracer = trace.getTracer('test');
    await Promise.all(['one', 'two', 'three'].map((name) => tracer.startActiveSpan(name, (span) => new Promise((resolve) => {
      pool.query('select 1', () => { console.log(name, trace.getActiveSpan() === span); span.end(); resolve(); });
    }))));
    await pool.end();`,
    { DATABASE_URL: postgres.url },
  );
  expect(run).toMatchObject({ code: 0, stderr: '' });
  expect(run.stdout.trim().split('\n')).toEqual(['true', '5', 'one true', 'two true', 'three true']);
});

interface MysqlConnection {
  serverHandshake: (options: object) => void;
  on: (event: 'query' | 'error', listener: () => void) => void;
  writeTextResult: (rows: readonly object[], columns: readonly object[]) => void;
}

/** elastic/apm-agent-nodejs 5101: since version 3.11.5 the promises do not load the main file. */
it('observes a service that imports only the promises of mysql2', async () => {
  const { createServer } = createRequire(import.meta.url)('mysql2') as {
    readonly createServer: (
      onConnection: (connection: MysqlConnection) => void,
    ) => Server & { readonly _server: Server };
  };
  const server = createServer((connection) => {
    connection.serverHandshake({
      protocolVersion: 10,
      serverVersion: '8',
      connectionId: 1,
      statusFlags: 2,
      characterSet: 8,
      capabilityFlags: 0xff_ff_ff,
    });
    // The client goes away.
    connection.on('error', () => undefined);
    connection.on('query', () => connection.writeTextResult([], []));
  });
  server.listen(0);
  await once(server['_server'], 'listening');
  const { port } = server['_server'].address() as AddressInfo;
  await using run = await runObserved(
    `
    import { createConnection } from 'mysql2/promise';
    const connection = await createConnection({ host: '127.0.0.1', port: ${port}, user: 'u' });
    await connection.query('select 1').catch((error) => console.log(error.message));
    process.exit(0);`,
    { SIPHON_FLUSH_TIMEOUT_MS: '8000' },
  );
  server.close();
  expect(run.code).toBe(0);
  expect(run.capture.spans().map(({ attributes }) => plainAttributes(attributes)['db.query.text'])).toContain(
    'select ?',
  );
});
