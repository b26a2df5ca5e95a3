/** A service in the trouble that its argument names: failing, slow or blocking. It sends its requests itself. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';

const SLOW_MS = 3000;
const BLOCK_MS = 1500;

const troubles = {
  failing: (_request, response) => response.status(500).end(),
  slow: async (_request, response) => {
    await sleep(SLOW_MS);
    response.end();
  },
  blocking: (_request, response) => {
    const until = performance.now() + BLOCK_MS;
    while (performance.now() < until);
    response.end();
  },
};

const trouble = process.argv[2];
const server = express().get('/orders/:id', troubles[trouble]).listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${server.address().port}/orders/1`;
const ask = async (signal) => await (await fetch(url, { signal })).text();

if (trouble === 'blocking') {
  for (;;) {
    await ask();
    await sleep(300);
  }
}
for (;;) {
  const clients = Array.from({ length: 10 }, () => ask());
  if (trouble === 'slow') clients.push(ask(AbortSignal.timeout(100)));
  void Promise.allSettled(clients);
  await sleep(500);
}
