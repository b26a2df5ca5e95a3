import { request } from 'node:http';
import { gunzipSync } from 'node:zlib';
import * as v from 'valibot';
import { expect, it } from 'vitest';
import { componentSettings } from '../../../../tests/support/components/component-settings.ts';
import { hostWith } from '../../../../tests/support/components/host-with.ts';
import { consoleConfig } from './config.ts';
import { consoleExtension } from './factory.ts';

const files = new Map([
  ['/index.html', { type: 'text/html', text: '<!doctype html>' }],
  ['/console.js', { type: 'text/javascript', text: 'show()'.repeat(100) }],
]);

async function started() {
  const { settings, lines } = componentSettings('extension', 'console');
  const host = hostWith();
  let reads = 0;
  const extension = consoleExtension({
    readPage: async () => {
      reads += 1;
      return files;
    },
    composed: () => [],
    views: ['traces', 'errors', 'logs', 'alerts', 'pipelines'],
    textView: (path) =>
      path === '/alerts' || path === '/only-text'
        ? {
            path: '/api/v1/rules',
            parameters: { type: 'alert' },
            text: (answer) => `text of ${JSON.stringify(answer)}`,
          }
        : undefined,
  }).create(settings, v.parse(consoleConfig, { endpoint: '127.0.0.1:0', allowed_hosts: ['siphon.test'] }));
  await extension.start(host);
  const url = `http://${String(lines.find(({ msg }) => msg === 'Listening')?.['endpoint'])}`;
  return {
    url,
    host,
    reads: () => reads,
    [Symbol.asyncDispose]: async () => await extension.shutdown(AbortSignal.timeout(1000)),
  };
}

async function get(
  url: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<{ status: number | undefined; headers: Record<string, unknown>; body: Buffer }> {
  return await new Promise((resolve, reject) => {
    const sent = request(url, { headers, method }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) }),
      );
    });
    sent.on('error', reject).end();
  });
}

it('serves the page for every view, compressed if the browser takes it, and reads it once', async () => {
  await using page = await started();
  expect(page.reads()).toBe(0);
  for (const path of ['/', '/d/siphon-service', '/traces', '/traces/0af7', '/logs?text=x', '/errors', '/pipelines']) {
    const { status, body } = await get(page.url + path);
    expect(`${path} ${status} ${body.toString()}`).toBe(`${path} 200 <!doctype html>`);
  }
  const script = await get(`${page.url}/console.js`, { 'accept-encoding': 'gzip' });
  expect(script.headers).toMatchObject({
    'content-encoding': 'gzip',
    'content-type': 'text/javascript; charset=utf-8',
  });
  expect(gunzipSync(script.body).toString()).toBe('show()'.repeat(100));
  expect((await get(`${page.url}/console.js`, {}, 'HEAD')).body).toHaveLength(0);
  expect((await get(`${page.url}/../package.json`)).status).toBe(404);
  expect(page.reads()).toBe(1);
});

it('allows only its own script, and no other page to show or read it', async () => {
  await using page = await started();
  const { headers } = await get(page.url);
  expect(headers['content-security-policy']).toMatch(/default-src 'none'; script-src 'self';.*frame-ancestors 'none'/);
  expect(headers).not.toHaveProperty('access-control-allow-origin');
  expect((await get(page.url, { host: 'evil.test' })).status).toBe(421);
  expect((await get(`${page.url}/api/service`, { host: 'evil.test' })).status).toBe(421);
  expect((await get(page.url, { origin: 'http://evil.test' })).status).toBe(403);
  const image = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' };
  expect((await get(`${page.url}/api/service`, image)).status).toBe(403);
  const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
  expect((await get(`${page.url}/traces`, link)).status).toBe(200);
  expect((await get(page.url, { host: 'SIPHON.test:8001' })).status).toBe(200);
  expect((await get(page.url, { origin: page.url })).status).toBe(200);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) expect((await get(page.url, {}, method)).status).toBe(405);
});

it('passes queries to the component that offers them, and names the one that is missing', async () => {
  await using page = await started();
  expect(JSON.parse(String((await get(`${page.url}/api/service`)).body))).toMatchObject({ status: 'ok' });
  const missing = await get(`${page.url}/api/traces`);
  expect(missing.status).toBe(404);
  expect(missing.body.toString()).toContain('telemetry_store');
  expect((await get(`${page.url}/api/v1/query`)).body.toString()).toContain('metrics_history');
  const offered = page.host.queryApis.offer({
    prefix: '/api/',
    answer: async (path, parameters, hasRoom) => ({
      status: 200,
      body: JSON.stringify([path, parameters.get('service'), hasRoom()]),
    }),
  });
  const answer = await get(`${page.url}/api/traces?service=shop`);
  expect(answer.headers).toMatchObject({
    'cache-control': 'no-store',
    'content-type': 'application/json; charset=utf-8',
  });
  expect(answer.body.toString()).toBe('["/api/traces","shop",true]');
  offered[Symbol.dispose]();
  expect((await get(`${page.url}/api/traces`)).status).toBe(404);
});

it.each([
  [{ endpoint: '0.0.0.0:8001' }, false],
  [{ endpoint: '[::]:8001', auth: { authenticator: 'basic_auth' } }, false],
  [{ endpoint: '192.168.0.1:8001', tls: { cert_file: 'a', key_file: 'b' } }, false],
  [{ endpoint: '0.0.0.0:8001', auth: { authenticator: 'basic_auth' }, tls: { cert_file: 'a', key_file: 'b' } }, true],
  [{ endpoint: '[::1]:8001' }, true],
  [{ endpoint: 'localhost:8001' }, true],
  [{}, true],
])('with %j, the configuration is valid: %s', (config, isValid) => {
  const { success, issues } = v.safeParse(consoleConfig, config);
  expect({ success, path: issues?.map((issue) => v.getDotPath(issue)) }).toEqual({
    success: isValid,
    path: isValid ? undefined : ['endpoint'],
  });
});

it('answers text to who does not ask for a page, and JSON to who asks for that', async () => {
  await using page = await started();
  const rules = { status: 'success', data: { groups: [] } };
  const asked: string[] = [];
  page.host.queryApis.offer({
    prefix: '/api/v1/',
    answer: async (path, parameters) => {
      asked.push(`${path} ${parameters.toString()}`);
      return { status: 200, body: JSON.stringify(rules) };
    },
  });
  const text = await get(`${page.url}/alerts`, { accept: '*/*' });
  expect(text.headers).toMatchObject({ 'content-type': 'text/plain; charset=utf-8', vary: 'accept' });
  expect(text.body.toString()).toBe(`text of ${JSON.stringify(rules)}\n`);
  expect(JSON.parse((await get(`${page.url}/alerts`, { accept: 'application/json' })).body.toString())).toEqual(rules);
  expect((await get(`${page.url}/alerts`, { accept: 'text/html,*/*;q=0.8' })).body.toString()).toBe('<!doctype html>');
  // An address without a page shows its text in a browser, too.
  const only = await get(`${page.url}/only-text`, { accept: 'text/html,*/*;q=0.8' });
  expect(only.body.toString()).toBe(text.body.toString());
  expect(asked).toEqual(Array.from({ length: 3 }, () => '/api/v1/rules type=alert'));
});

it('reports as text which component is missing', async () => {
  await using page = await started();
  const { status, body } = await get(`${page.url}/alerts`);
  expect(status).toBe(404);
  expect(body.toString()).toContain('add the extension metrics_history');
});
