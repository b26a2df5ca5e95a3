import { expect, it } from 'vitest';
import { logLines } from '../../../tests/support/components/log-lines.ts';
import { SelfMetrics } from './self-metrics.ts';

it.each([
  ['0.0.0.0', 1],
  ['::', 1],
  ['127.0.0.1', 0],
  ['localhost', 0],
])('warns if other machines can reach the page on %s: %i', async (host, warnings) => {
  const { logger, lines } = logLines();
  const metrics = { endpoint: { host, port: 0 } };
  const self = await SelfMetrics.create({ metrics, resource: {} }, { logger, version: '0' });
  await self.start();
  await self.shutdown(AbortSignal.timeout(1000));
  const warned = lines.filter(({ level }) => level === 40);
  expect(warned).toHaveLength(warnings);
  for (const { msg } of warned) expect(msg).toContain('has no TLS or authentication');
});
