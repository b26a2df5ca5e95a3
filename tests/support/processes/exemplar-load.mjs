/**
 * Serves itself, with few sockets and connections for many requests at a time. In a round, each series has one measurement,
 * because the status, or the command with its SQLSTATE, is the number of the request.
 */
import { Agent, createServer, get } from 'node:http';
import { metrics, trace } from '@opentelemetry/api';
import { Pool } from 'pg';

const [url, rounds] = process.argv.slice(2);
const REQUESTS = 200;
const CONCURRENCY = 40;

/** The command and the SQLSTATE are labels; of those, 20 are kept. */
const STATEMENTS = [
  (fail) => `select ${fail}`,
  (fail) => `values (${fail})`,
  (fail) => `insert into row select ${fail}`,
  (fail) => `update row set a = ${fail}`,
  (fail) => `delete from row where a = ${fail}`,
  (fail) => `explain analyze select ${fail}`,
  (fail) => `copy (select ${fail}) to stdout`,
  (fail) => `create table new as select ${fail}`,
  (fail) => `merge into row using (select ${fail}) as other on true when matched then delete`,
  (fail) => `do $$ begin perform ${fail}; end $$`,
];

const pool = new Pool({ connectionString: url, max: 5 });
const served = metrics.getMeter('service').createCounter('served');
const agent = new Agent({ keepAlive: true, maxSockets: 8 });

const answer = async (request, response) => {
  const n = Number(request.url.slice(1));
  const sleep = Math.random() / 200;
  if (request.method === 'GET') {
    const statement = STATEMENTS[Math.floor(n / 20)](`fail('S00${(n % 20) + 10}', ${sleep})`);
    await pool.query(statement).then(
      () => process.exit(2),
      () => undefined,
    );
  } else await pool.query('select pg_sleep($1)', [sleep]);
  served.add(1, { method: request.method, status: 200 + n });
  response.statusCode = 200 + n;
  response.end(String(n));
};
const server = createServer((request, response) => void answer(request, response));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${server.address().port}`;

const byHttp = (n) =>
  new Promise((resolve, reject) =>
    get(`${origin}/${n}`, { agent }, (response) => response.resume().on('end', resolve)).on('error', reject),
  );
const byFetch = async (n) => await (await fetch(`${origin}/${n}`, { method: 'POST', redirect: 'manual' })).text();

for (let round = 0; round < rounds; round++) {
  const calls = Array.from({ length: REQUESTS }, (_, n) => [() => byHttp(n), () => byFetch(n)]).flat();
  const worker = async () => {
    for (let call = calls.pop(); call !== undefined; call = calls.pop()) await call();
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  // The server notices the end of the last responses.
  await new Promise((resolve) => setTimeout(resolve, 50));
  await trace.getTracerProvider().getDelegate().forceFlush();
  await metrics.getMeterProvider().forceFlush();
}
await pool.end();
agent.destroy();
server.close();
server.closeAllConnections();
