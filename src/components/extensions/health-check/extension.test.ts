import * as v from 'valibot';
import { hostWith } from '../../../../tests/support/components/host-with.ts';
import { expect, it } from 'vitest';
import type { Host, HostStatus } from '../../../engine/component.ts';
import { healthCheckConfig } from './config.ts';
import { healthCheckExtension } from './factory.ts';
import { componentSettings } from '../../../../tests/support/components/component-settings.ts';

async function healthCheck(keys: Record<string, unknown> = {}) {
  const { settings, lines } = componentSettings('extension', 'health_check');
  const config = v.parse(healthCheckConfig, { endpoint: '127.0.0.1:0', ...keys });
  const extension = healthCheckExtension.create(settings, config);
  let status: HostStatus = 'starting';
  const host: Host = { ...hostWith(), status: () => status };
  await extension.start(host);
  const url = `http://${String(lines.find(({ msg }) => msg === 'Listening')?.['endpoint'])}`;
  return {
    url,
    become: (next: HostStatus) => (status = next),
    [Symbol.asyncDispose]: async () => await extension.shutdown(AbortSignal.timeout(1000)),
  };
}

it('answers 503 while the collector starts and stops, and 200 while it runs', async () => {
  await using health = await healthCheck();
  const starting = await fetch(health.url);
  expect(starting.status).toBe(503);
  expect(await starting.json()).toMatchObject({ status: 'Server not available', uptime: '' });
  health.become('ok');
  const ok = await fetch(health.url);
  expect(ok.status).toBe(200);
  const { status, upSince, uptime } = (await ok.json()) as Record<string, string>;
  expect(status).toBe('Server available');
  expect(Math.abs(Date.parse(upSince ?? '') - Date.now())).toBeLessThan(10_000);
  expect(uptime).toMatch(/^\d+(\.\d+)?s$/);
  health.become('stopping');
  expect((await fetch(health.url)).status).toBe(503);
});

it('answers on its path alone, with the configured texts', async () => {
  await using health = await healthCheck({ path: '/live', response_body: { healthy: 'yes', unhealthy: 'not yet' } });
  expect(await (await fetch(`${health.url}/live?verbose=1`)).text()).toBe('not yet');
  health.become('ok');
  expect(await (await fetch(`${health.url}/live`)).text()).toBe('yes');
  expect((await fetch(health.url)).status).toBe(404);
});
