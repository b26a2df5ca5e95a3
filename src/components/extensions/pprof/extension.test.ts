import { url as inspectorUrl } from 'node:inspector';
import * as v from 'valibot';
import { expect, it } from 'vitest';
import { componentSettings } from '../../../../tests/support/components/component-settings.ts';
import { hostWith } from '../../../../tests/support/components/host-with.ts';
import { pprofConfig } from './config.ts';
import { pprofExtension } from './factory.ts';

async function pprof() {
  const { settings, lines } = componentSettings('extension', 'pprof');
  const extension = pprofExtension.create(settings, v.parse(pprofConfig, { endpoint: '127.0.0.1:0' }));
  await extension.start(hostWith());
  const base = `http://${String(lines.find(({ msg }) => msg === 'Listening')?.['endpoint'])}`;
  return {
    get: (path: string, init?: RequestInit) => fetch(base + path, init),
    stop: () => extension.shutdown(AbortSignal.timeout(1000)),
    [Symbol.asyncDispose]: () => extension.shutdown(AbortSignal.timeout(1000)),
  };
}

/** The profiler of a busy machine takes seconds to start. */
const patience = { timeout: 8000 };

it('records CPU and heap profiles, one at a time, without a port for a debugger', async () => {
  await using extension = await pprof();
  const recording = extension.get('/debug/pprof/profile?seconds=1');
  await expect.poll(async () => (await extension.get('/debug/pprof/heap?seconds=1')).status, patience).toBe(503);
  expect(inspectorUrl()).toBeUndefined();
  const answer = await recording;
  expect(answer.headers.get('content-disposition')).toContain('siphon.cpuprofile');
  const profile = (await answer.json()) as { nodes: unknown[]; samples: unknown[] };
  expect(profile.nodes.length).toBeGreaterThan(0);
  const heap = (await (await extension.get('/debug/pprof/heap?seconds=1')).json()) as { head: object };
  expect(heap.head).toHaveProperty('children');
});

it('can record again after a reader has left', async () => {
  await using extension = await pprof();
  const left = extension.get('/debug/pprof/profile?seconds=100', { signal: AbortSignal.timeout(100) });
  await expect(left).rejects.toThrow('aborted');
  await expect.poll(async () => (await extension.get('/debug/pprof/profile?seconds=1')).status, patience).toBe(200);
});

it('stops a recording when it is shut down', async () => {
  const extension = await pprof();
  const recording = extension.get('/debug/pprof/profile?seconds=100');
  await expect.poll(async () => (await extension.get('/debug/pprof/profile?seconds=1')).status, patience).toBe(503);
  await extension.stop();
  expect((await recording).status).toBe(503);
});

it.each([
  ['/debug/pprof/', 200],
  ['/debug/pprof/goroutine', 404],
  ['/debug/pprof/profile?seconds=0', 400],
  ['/debug/pprof/profile?seconds=301', 400],
  ['/debug/pprof/profile?seconds=x', 400],
])('answers %s with %d', async (path, status) => {
  await using extension = await pprof();
  expect((await extension.get(path)).status).toBe(status);
});
