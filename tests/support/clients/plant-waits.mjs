/**
 * Runs under the preload: plants waits for locks, each in traces of its own, on the connections of one pool. Prints a line
 * for each wait: the trace that waits, the trace of the transaction that it waits for, and for how long.
 *
 * Arguments: URL of the database, the number of waits, how many plans run at the same time.
 */
import { trace } from '@opentelemetry/api';
import { Pool } from 'pg';

const [url, count, concurrency] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const pool = new Pool({ connectionString: url, max: 4 * concurrency + 4 });
const tracer = trace.getTracer('planted');

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const random = (from, to) => from + Math.random() * (to - from);
const plan = { left: count };
let nextRow = 1;

/** Runs the body within a trace of its own. */
async function request(name, body) {
  return await tracer.startActiveSpan(name, { root: true }, async (span) => {
    try {
      return await body(span.spanContext().traceId);
    } finally {
      span.end();
    }
  });
}

/** A transaction on a connection of the pool. */
async function transaction(body) {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const result = await body(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

const update = 'update planted set changes = changes + 1 where id = $1';

/** A transaction that changes a row, and ends when it is told to. */
function holder(row) {
  const [held, done] = [Promise.withResolvers(), Promise.withResolvers()];
  const ended = request('holder', async (traceId) =>
    transaction(async (client) => {
      // Statements before belong to the same transaction.
      await client.query('select 1');
      await client.query(update, [row]);
      held.resolve(traceId);
      await done.promise;
    }),
  );
  return { held: held.promise, release: async () => (done.resolve(), await ended) };
}

/** @param statement resolves when the lock is granted. */
async function waiter(name, statement, waitsFor) {
  return await request(name, async (traceId) => {
    waitsFor.started?.(traceId);
    const from = performance.now();
    const failed = await statement().then(
      () => false,
      (error) => error.code,
    );
    report({ kind: name, waiter: traceId, blocker: await waitsFor.blocker, ms: performance.now() - from, failed });
  });
}

async function isWaiting(pid) {
  const text = "select from pg_stat_activity where pid = $1 and wait_event_type = 'Lock'";
  while ((await pool.query(text, [pid])).rowCount === 0) await sleep(20);
}

function report(wait) {
  process.stdout.write(`${JSON.stringify(wait)}\n`);
}

const plans = {
  async row(holdMs) {
    const row = nextRow++;
    const one = holder(row);
    const blocker = await one.held;
    const waiting = waiter('row', async () => pool.query(update, [row]), { blocker });
    await sleep(holdMs);
    await one.release();
    await waiting;
    return 1;
  },
  /** The second waits for the first, which is before it in the queue of the row. */
  async queue(holdMs) {
    const row = nextRow++;
    const one = holder(row);
    const blocker = await one.held;
    const first = Promise.withResolvers();
    const client = await pool.connect();
    const updated = async () => client.query(update, [row]).finally(() => client.release());
    const waiting = [waiter('queue', updated, { blocker, started: first.resolve })];
    await isWaiting(client.processID);
    waiting.push(waiter('queue', async () => pool.query(update, [row]), { blocker: first.promise }));
    await sleep(holdMs);
    await one.release();
    await Promise.all(waiting);
    return 2;
  },
  /** A waits for B, which waits for C. */
  async chain(holdMs) {
    const [rowOfB, rowOfC] = [nextRow++, nextRow++];
    const c = holder(rowOfC);
    const traceOfC = await c.held;
    const [started, hasRow] = [Promise.withResolvers(), Promise.withResolvers()];
    const b = waiter(
      'chain',
      async () =>
        transaction(async (client) => {
          await client.query(update, [rowOfB]);
          hasRow.resolve();
          await client.query(update, [rowOfC]);
        }),
      { blocker: traceOfC, started: started.resolve },
    );
    await hasRow.promise;
    const a = waiter('chain', async () => pool.query('select * from planted where id = $1 for update', [rowOfB]), {
      blocker: started.promise,
    });
    await sleep(holdMs);
    await c.release();
    await Promise.all([a, b]);
    return 2;
  },
  /** Each waits for the other, until PostgreSQL ends one of them. */
  async deadlock() {
    const rows = [nextRow++, nextRow++];
    const started = rows.map(() => Promise.withResolvers());
    const hasRow = rows.map(() => Promise.withResolvers());
    await Promise.all(
      [0, 1].map(async (mine) => {
        const other = 1 - mine;
        const both = async () =>
          transaction(async (client) => {
            await client.query(update, [rows[mine]]);
            hasRow[mine].resolve();
            await hasRow[other].promise;
            await client.query(update, [rows[other]]);
          });
        await waiter('deadlock', both, { blocker: started[other].promise, started: started[mine].resolve });
      }),
    );
    return 2;
  },
};

/** Short transactions of other traces on the same connections. */
async function noise() {
  while (plan.left > 0) {
    await request('noise', async () => {
      if (Math.random() < 0.5) await pool.query('select count(*) from planted where id < 10');
      else await transaction(async (client) => await client.query(update, [0]));
    });
    await sleep(random(5, 50));
  }
}

async function plant() {
  const kinds = Object.keys(plans);
  while (plan.left > 0) {
    const kind = kinds[Math.floor(Math.random() * kinds.length)];
    const size = kind === 'row' ? 1 : 2;
    if (plan.left < size) return;
    plan.left -= size;
    await plans[kind](random(2000, 4000));
    await sleep(random(0, 50));
  }
}

await Promise.all([...Array.from({ length: concurrency }, plant), noise()]);
await pool.end();
