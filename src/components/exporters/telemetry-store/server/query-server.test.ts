import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { startStore } from '../../../../../tests/support/components/running-store.ts';
import { batchOfLogs } from '../../../../../tests/support/otlp/otlp-logs.ts';

const MIB = 1024 * 1024;

it('bounds an answer, and what readers leave unread', { timeout: 30_000 }, async () => {
  await using started = await startStore();
  const { store, url, ask } = started;
  const attributes = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`note${i}`, `${i}${'x'.repeat(8000)}`]));
  const records = Array.from({ length: 100 }, (_, i) => ({ body: `line ${i}`, attributes }));
  await store.consume(batchOfLogs(records));
  const answer = await fetch(`${url}/api/logs?limit=1000`);
  const text = await answer.text();
  const { logs, left } = JSON.parse(text) as { readonly logs: readonly unknown[]; readonly left: number };
  expect(text.length).toBeLessThan(4 * MIB + 100);
  expect(logs.length).toBeGreaterThan(0);
  expect(logs.length + left).toBe(100);
  expect(logs.at(-1), 'the newest stay').toMatchObject({ body: 'line 99' });

  const { hostname, port } = new URL(url);
  const readers: Socket[] = [];
  // The buffers of the connections take some answers.
  const askWithoutReading = async (): Promise<string> => {
    const reader = connect(Number(port), hostname).on('error', () => undefined);
    readers.push(reader);
    await once(reader, 'connect');
    reader.pause().write('GET /api/logs?limit=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    return String((await ask('/api/logs?limit=1')).body.error);
  };
  try {
    await expect.poll(askWithoutReading, { timeout: 20_000 }).toMatch(/wait for their readers/);
  } finally {
    for (const reader of readers) reader.destroy();
  }
  await expect.poll(async () => (await ask('/api/logs?limit=1')).body.error, { timeout: 5000 }).toBeUndefined();
});

it('escapes control characters and marks of direction', async () => {
  await using started = await startStore();
  const body = 'a\u009Bb\u0085c\u202Ed\u2066e\u2028f\u007Fg';
  await started.store.consume(batchOfLogs([{ body }]));
  const known = await (await fetch(`${started.url}/api/logs`)).text();
  const unknown = await (await fetch(`${started.url}/api/exemplars?metric=${encodeURIComponent(body)}`)).text();
  expect(JSON.parse(known)).toMatchObject({ logs: [{ body }] });
  expect(JSON.parse(unknown)).toMatchObject({ error: expect.stringContaining(body) as string });
  expect(known + unknown).not.toMatch(/[^ -~]/);
});

async function statusFor(url: string, origin: string): Promise<number | undefined> {
  return await new Promise((resolve, reject) => {
    const sent = request(`${url}/api/traces`, { headers: { origin } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject).end();
  });
}

it('refuses pages of other origins', async () => {
  await using started = await startStore();
  await using open = await startStore({ cors: { allowed_origins: ['http://page.test'] } });
  expect(await statusFor(started.url, 'http://page.test')).toBe(403);
  expect(await statusFor(started.url, 'null')).toBe(403);
  expect(await statusFor(started.url, started.url)).toBe(200);
  expect(await statusFor(open.url, 'http://page.test')).toBe(200);
});

it.each(['since=-1', 'since=-5m', 'until=-1h', 'since=1', 'severity=99', 'severity=0', 'severity=25'])(
  'refuses %s',
  async (query) => {
    await using started = await startStore();
    expect((await started.ask(`/api/logs?${query}`)).status).toBe(400);
  },
);
