import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { rolldown } from 'rolldown';
import { describe, expect, it } from 'vitest';
import { plainAttributes } from '../support/otlp/otlp-capture.ts';
import { runFramework, servedRequests } from '../support/processes/run-framework.ts';
import type { ObservedScript } from '../support/processes/observed-script.ts';

const FRAMEWORKS = ['express', 'fastify', 'koa', 'hono', 'nest'] as const;

describe.each(FRAMEWORKS)('%s', (framework) => {
  it('names requests by their route, and records each exception once with its cause', async () => {
    await using run = await runFramework(`${framework}.mjs`);
    expectRoutes(run);
  });
});

it('observes Express 4, whose handlers are patched', async () => {
  await using folder = temporaryFolder();
  cpSync('tests/support/frameworks', folder.path, { recursive: true });
  cpSync('node_modules/express4', path.join(folder.path, 'node_modules/express'), { recursive: true });
  await using run = await runFramework(path.join(folder.path, 'express.mjs'));
  expectRoutes(run);
});

it.each(['express', 'fastify'])('observes %s in a bundle', async (framework) => {
  await using folder = temporaryFolder();
  const file = path.join(folder.path, 'service.mjs');
  const bundle = await rolldown({ input: `tests/support/frameworks/${framework}.mjs`, platform: 'node' });
  await bundle.write({ file, format: 'esm' });
  await using run = await runFramework(file, {});
  expectRoutes(run);
});

it('reports a route that the service writes to its span, and none for a request that nothing answers', async () => {
  await using run = await runFramework('plain.mjs');
  expect(servedRequests(run.capture.spans())).toContain('GET /users/:id 200');
  expect(servedRequests(run.capture.spans())).toContain('GET 404');
});

it('switches off what the environment names', async () => {
  await using run = await runFramework('express.mjs', { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'express, nonsense' });
  expect(run.stderr).toBe(
    'siphon-otel/preload: OTEL_NODE_DISABLED_INSTRUMENTATIONS names what does not exist here: nonsense\n',
  );
  expect(servedRequests(run.capture.spans())[0]).toBe('GET 200');
});

function expectRoutes({ capture, code, stderr }: ObservedScript): void {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(servedRequests(capture.spans())).toEqual([
    'GET /users/:id 200',
    'GET /tenants/:tenant/items/:item 200',
    'GET /fail 500 RangeError: no coffee',
    'GET /tenants/:tenant/fail 500 RangeError: no coffee',
    'GET 404',
  ]);
  const exceptions = capture
    .spans()
    .flatMap(({ events = [] }) => events.map((event) => plainAttributes(event.attributes)));
  expect(exceptions).toHaveLength(2);
  for (const exception of exceptions) {
    expect(exception['exception.stacktrace']).toMatch(
      /^RangeError: no coffee\n\s+at [^]+\n {2}\[cause\]: Error: no beans\n\s+at /,
    );
  }
  const measured = capture.histogramAttributes('http.server.request.duration');
  const points = measured.map((point) => `${point['http.route'] ?? '-'} ${point['http.response.status_code']}`);
  expect([...new Set(points)].toSorted()).toEqual([
    '- 404',
    '/fail 500',
    '/tenants/:tenant/fail 500',
    '/tenants/:tenant/items/:item 200',
    '/users/:id 200',
  ]);
}

/** Inside the checkout, so that packages there are found. */
function temporaryFolder(): AsyncDisposable & { readonly path: string } {
  const folder = mkdtempSync(path.resolve('node_modules/.frameworks-'));
  return { path: folder, [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }) };
}
