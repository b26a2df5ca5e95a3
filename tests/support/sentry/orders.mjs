/** A service with Express and pg, and a stock service that it calls. Prints its port, and ends when its input ends. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
import { Pool } from 'pg';

const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 2 });
// The service continues after a failure that nothing handles.
process.on('uncaughtException', () => undefined);

const stock = createServer((_request, response) => response.end('{"page":2}'));
await once(stock.listen(0, '127.0.0.1'), 'listening');

/* oxlint-disable oxc/no-async-endpoint-handlers -- Express 5 passes the rejections of handlers on. */
async function user(request, response) {
  const { rows } = await pool.query(`SELECT 'Ada' AS name WHERE 42 = ${Number(request.params.id)}`);
  response.json(rows);
}

async function items(request, response) {
  await pool.query('SELECT id FROM generate_series(1, 12) AS id');
  for (let id = 1; id <= 12; id++) await pool.query(`SELECT pg_sleep(0.006), ${id} AS item`);
  response.json({ id: request.params.id });
}

async function search(_request, response) {
  const answer = await fetch(`http://127.0.0.1:${stock.address().port}/stock?token=s3cret-token&page=2`);
  response.json(await answer.json());
}

async function late(_request, response) {
  response.json({});
  await sleep(50);
  await pool.query("SELECT 'after the response'");
}

async function badSql() {
  await pool.query('SELECT * FROM missing_table');
}

function fail() {
  throw new RangeError('no order', { cause: new TypeError('no stock') });
}

function reject(_request, response) {
  void Promise.reject(new Error('not handled'));
  response.json({});
}

const app = express();
app.get('/users/:id', user);
app.get('/orders/:id/items', items);
app.get('/search', search);
app.get('/late', late);
app.get('/bad-sql', badSql);
app.get('/fail', fail);
app.get('/reject', reject);
app.use((error, _request, response, _next) => response.status(500).json({ message: error.message }));

const server = createServer(app);
await once(server.listen(0, '127.0.0.1'), 'listening');
process.stdout.write(`${server.address().port}\n`);

await process.stdin.resume().toArray();
await pool.end();
for (const each of [stock, server]) {
  each.close();
  each.closeAllConnections();
}
