import { expect, it } from 'vitest';
import { runObserved } from '../../support/processes/observed-script.ts';

/** A signal begins a collection of several steps. Next.js ends its process between them. */
it.each([0, 6, 10, 14, 20])(
  'sends what was counted if the process ends %i promises after a signal',
  async (promises) => {
    await using script = await runObserved(
      `import { metrics } from '@opentelemetry/api';
    process.on('SIGTERM', async () => {
      for (let i = 0; i < ${promises}; i++) await undefined;
      process.exit(143);
    });
    metrics.getMeter('app').createCounter('jobs').add(1);
    // The attributes of the resource are known then.
    setTimeout(() => process.kill(process.pid, 'SIGTERM'), 200);
    setInterval(() => undefined, 1000);`,
      { SIPHON_FLUSH_TIMEOUT_MS: '8000' },
    );
    expect(script.code).toBe(143);
    await expect.poll(() => script.capture.metrics().map(({ name }) => name), { timeout: 5000 }).toContain('jobs');
  },
);
