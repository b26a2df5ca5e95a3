import { expect, it } from 'vitest';
import { runObserved } from '../../support/processes/observed-script.ts';

/** Requests of the measured part. */
const REQUESTS = 5000;

it('leaves almost nothing of a request to the old generation', async () => {
  await using run = await runObserved(
    `import { Agent, createServer, get } from 'node:http';
    import { once } from 'node:events';
    import { getHeapSpaceStatistics } from 'node:v8';
    import { suppressTracing } from '@opentelemetry/core';
    import { context } from '@opentelemetry/api';
    const server = createServer((request, response) => response.end('ok'));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    const ask = async () => await new Promise((resolve) => get({ port: server.address().port, agent }, (response) => response.resume().on('end', resolve)));
    const askOften = async (count) => await Promise.all(Array.from({ length: 8 }, async () => { for (let i = 0; i < count / 8; i++) await ask(); }));
    const old = () => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space').space_used_size;
    // The requests that are sent are not measured.
    await context.with(suppressTracing(context.active()), async () => {
      await askOften(2000);
      const before = old();
      await askOften(${REQUESTS});
      console.log((old() - before) / ${REQUESTS});
    });
    process.exit(0);`,
    { OTEL_LOGS_EXPORTER: 'none' },
  );
  expect(run).toMatchObject({ code: 0, stderr: '' });
  expect(Number(run.stdout), 'bytes for each request').toBeLessThan(600);
});
