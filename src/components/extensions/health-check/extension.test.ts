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
  let degraded: readonly string[] = [];
  const host: Host = { ...hostWith(), status: () => status, degraded: () => degraded };
  await extension.start(host);
  const url = `http://${String(lines.find(({ msg }) => msg === 'Listening')?.['endpoint'])}`;
  return {
    url,
    lines,
    become: (next: HostStatus) => (status = next),
    degrade: (...reasons: readonly string[]) => (degraded = reasons),
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
  health.become('refusing');
  const refusing = await fetch(health.url);
  expect(refusing.status).toBe(503);
  expect(await refusing.json()).toMatchObject({ status: expect.stringContaining('refused') });
  health.become('stopping');
  expect((await fetch(health.url)).status).toBe(503);
});

it('warns if other machines can reach it', async () => {
  await using health = await healthCheck({ endpoint: '0.0.0.0:0' });
  expect(health.lines).toContainEqual(
    expect.objectContaining({ level: 40, msg: expect.stringMatching(/^Other machines can reach/) as string }),
  );
  await using local = await healthCheck();
  expect(local.lines.filter(({ level }) => level === 40)).toEqual([]);
});

it('answers on its path alone, with the configured texts', async () => {
  await using health = await healthCheck({ path: '/live', response_body: { healthy: 'yes', unhealthy: 'not yet' } });
  expect(await (await fetch(`${health.url}/live?verbose=1`)).text()).toBe('not yet');
  health.become('ok');
  expect(await (await fetch(`${health.url}/live`)).text()).toBe('yes');
  expect((await fetch(health.url)).status).toBe(404);
});

it('answers 200 with the reasons while components work only in part', async () => {
  await using health = await healthCheck();
  health.become('ok');
  health.degrade('extensions::file_storage: it is full');
  const answer = await fetch(health.url);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ degraded: ['extensions::file_storage: it is full'] });
  health.degrade();
  expect(await (await fetch(health.url)).json()).not.toHaveProperty('degraded');
});

it('is protected by auth and TLS like every server', async () => {
  await using health = await healthCheck({ response_headers: { 'X-A': 'b' } });
  health.become('ok');
  expect((await fetch(health.url)).headers.get('x-a')).toBe('b');
  const refused = v.safeParse(healthCheckConfig, { tls: { cert_file: 'a' } });
  expect(refused.issues?.[0].message).toContain('needs cert_file and key_file');
});
