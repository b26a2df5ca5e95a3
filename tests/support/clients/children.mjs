/** Starts itself as a child in several ways, as a worker thread and as a worker of a cluster, within a span. Each sends a request. */
import { exec, execFile, fork, spawn } from 'node:child_process';
import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isMainThread, Worker } from 'node:worker_threads';
import { trace } from '@opentelemetry/api';

const file = fileURLToPath(import.meta.url);
const url = process.env['TARGET'];

if (url === undefined) {
  const server = createServer((request, response) => response.end('ok')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const env = { ...process.env, TARGET: `http://127.0.0.1:${server.address().port}/` };
  await trace.getTracer('test').startActiveSpan('caller', async (span) => {
    const child = fork(file, ['child'], { env });
    const worker = new Worker(file, { env, argv: ['worker'] });
    const started = (name) => [...process.execArgv, file, name];
    const spawned = spawn(process.execPath, started('spawn'), { env, stdio: 'inherit' });
    const answers = [
      promisify(execFile)(process.execPath, started('execFile'), { env }),
      promisify(exec)(
        `node ${started('exec')
          .map((part) => `'${part}'`)
          .join(' ')}`,
        { env },
      ),
      promisify(exec)('echo "other ${SIPHON_PARENT_CONTEXT:-false}"'),
    ];
    cluster.setupPrimary({ exec: file, args: ['cluster'] });
    await Promise.all([child, spawned, worker, cluster.fork(env)].map((one) => once(one, 'exit')));
    for (const { stdout } of await Promise.all(answers)) process.stdout.write(stdout);
    span.end();
  });
  server.close();
} else {
  const [, , name] = process.argv;
  await (await fetch(url + name)).text();
  process.stdout.write(`${name} ${Object.keys(process.env).some((key) => key.startsWith('SIPHON_PARENT'))}\n`);
  if (isMainThread && process.connected) process.disconnect();
}
