import { once } from 'node:events';
import { Queue, Worker } from 'bullmq';

async function job({ name }) {
  if (name === 'broken') throw new RangeError('no coffee');
}

export async function use(url) {
  const connection = { url };
  // Of this process alone.
  const prefix = `siphon-${process.pid}`;
  const queue = new Queue('coffee', { connection, prefix });
  await queue.waitUntilReady();
  const worker = new Worker('coffee', job, { connection, prefix });
  await queue.add('welcome', { secret: 1 });
  await once(worker, 'completed');
  await queue.add('broken', {});
  await once(worker, 'failed');
  await worker.close();
  await queue.obliterate({ force: true });
  await queue.close();
}
