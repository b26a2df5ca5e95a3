import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packMetrics } from '../../src/packs/index.ts';
import { InstalledProject, type Ended, type RunOptions } from '../support/processes/installed-project.ts';
import { OtlpCapture } from '../support/otlp/otlp-capture.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres/test-postgres.ts';
import { Sidecar } from '../support/processes/sidecar.ts';

const IMPORT = ['--import', 'siphon-otel/preload'];
const REQUIRE = ['-r', 'siphon-otel/preload'];

const EXPORTS_OFTEN = { OTEL_BSP_SCHEDULE_DELAY: '50', OTEL_METRIC_EXPORT_INTERVAL: '100' };

/** Serves, asks itself in both ways, logs and queries; then its event loop is empty. */
const work = `
  const logger = pino();
  const server = createServer((request, response) => {
    logger.info('asked');
    response.end('ok');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = 'http://127.0.0.1:' + server.address().port;
  await (await fetch(url)).text();
  await new Promise((resolve) => get(url, (response) => response.resume().on('end', resolve)));
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
  await client.connect();
  await client.query('select 1');
  await client.end();
  server.close();
  server.closeAllConnections();
`;
const commonjs = `const { createServer, get } = require('node:http');
const { pino } = require('pino');
const pg = require('pg');
void (async () => {${work}})();`;
const esm = `import { createServer, get } from 'node:http';
import { pino } from 'pino';
import pg from 'pg';
${work}`;

let project: InstalledProject;
let postgres: TestPostgres;
beforeAll(async () => {
  [project, postgres] = await Promise.all([InstalledProject.create(), startTestPostgres({ schema: false })]);
  await Promise.all([project.write('app.cjs', commonjs), project.write('app.mjs', esm)]);
});
afterAll(async () => {
  await project[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});

/** Runs a script of one file, preloaded, with this OTLP endpoint. */
async function runScript(script: string, endpoint: string, options: RunOptions = {}): Promise<Ended> {
  const file = `script-${Math.random().toString(36).slice(2)}.mjs`;
  await project.write(file, script);
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...options.environment };
  return await project.run(file, { flags: IMPORT, ...options, environment });
}

describe.each([
  ['CommonJS', '--import', 'app.cjs', IMPORT],
  ['CommonJS', '-r', 'app.cjs', REQUIRE],
  ['ESM', '--import', 'app.mjs', IMPORT],
  ['ESM', '-r', 'app.mjs', REQUIRE],
])('a foreign %s project with %s', (_, __, file, flags) => {
  it('sends spans of http, fetch and pg and their metrics, and its log lines carry the trace', async () => {
    await using capture = await OtlpCapture.start();
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: capture.url, DATABASE_URL: postgres.url };
    const { code, lines, stderr } = await project.run(file, { flags, environment });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });

    const spans = capture.spans();
    const named = spans.map(({ kind, name }) => `${kind} ${name.split(' ')[0]}`).toSorted();
    expect(named).toEqual([
      'SPAN_KIND_CLIENT GET',
      'SPAN_KIND_CLIENT GET',
      'SPAN_KIND_CLIENT pg.connect',
      'SPAN_KIND_CLIENT pg.query:SELECT',
      'SPAN_KIND_SERVER GET',
      'SPAN_KIND_SERVER GET',
    ]);
    const servers = spans.filter(({ kind }) => kind === 'SPAN_KIND_SERVER');
    const logged = lines.map((line) => JSON.parse(line) as { trace_id: string; span_id: string });
    expect(logged.map(({ trace_id, span_id }) => [trace_id, span_id])).toEqual(
      servers.map(({ trace_id, span_id }) => [trace_id, span_id]),
    );
    expect(new Set(capture.resourceAttribute('service.name'))).toEqual(new Set(['foreign']));

    const names = new Set(capture.metrics().map(({ name }) => name));
    for (const name of ['http.server.request.duration', 'memory.usage', 'nodejs.eventloop.utilization']) {
      expect(names).toContain(name);
    }
  });
});

describe('what the preload sends', () => {
  it('has bounds fit for seconds on the durations of http and pg', async () => {
    await using capture = await OtlpCapture.start();
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: capture.url, DATABASE_URL: postgres.url };
    await project.run('app.mjs', { flags: IMPORT, environment });
    const bounds = Object.fromEntries(
      capture
        .metrics()
        .filter(({ unit, histogram }) => unit === 's' && histogram !== undefined)
        .map(({ name, histogram }) => [name, histogram?.data_points[0]?.explicit_bounds]),
    );
    const request = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
    expect(bounds['http.server.request.duration']).toEqual(request);
    expect(bounds['http.client.request.duration']).toEqual(packMetrics.http_client_request_duration_seconds.buckets);
    const calls = capture.metrics().filter(({ name }) => name === 'http.client.request.duration');
    const attributes = calls.flatMap(({ histogram }) =>
      histogram?.data_points.flatMap((point) => point.attributes ?? []),
    );
    const keys = new Set(attributes.map((attribute) => attribute?.key));
    expect(keys, 'no host').toEqual(new Set(['http.request.method', 'http.response.status_code']));
    expect(capture.metrics().map(({ name }) => name)).not.toContain('v8js.memory.heap.space.size');
    expect(bounds['db.client.operation.duration']).toEqual([0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]);
  });

  it.each(['http/protobuf', 'http/json'])(
    'counts the requests of the service, and not its own, with traces over %s',
    async (protocol) => {
      await using capture = await OtlpCapture.start();
      const script = `
      import { createServer, request } from 'node:http';
      const server = createServer((_, response) => response.end('ok'));
      await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address();
      const ask = (method) => new Promise((resolve) =>
        request({ port, method }, (response) => response.resume().on('end', resolve)).end(),
      );
      for (let second = 0; second < 3; second++) {
        await ask('PUT');
        await (await fetch('http://127.0.0.1:' + port)).text();
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
      server.close();
      server.closeAllConnections();`;
      await runScript(script, capture.url, {
        environment: { ...EXPORTS_OFTEN, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: protocol },
      });
      const counts = capture
        .metrics()
        .filter(({ name }) => name === 'http.client.request.duration')
        .map(({ histogram }) => histogram?.data_points.map(({ count }) => Number(count)));
      expect(counts.length, 'exports meanwhile').toBeGreaterThan(2);
      // One for node:http and one for fetch: they are measured separately.
      expect(counts.slice(-2)).toEqual([[3], [3]]);
    },
  );

  const asking = `
    import { createServer, get } from 'node:http';
    const server = createServer((request, response) => response.end(JSON.stringify(request.headers)));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address();
    const lookup = (_, options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]);
    const headers = await new Promise((resolve) =>
      get({ host: 'shop.example', port, lookup }, async (response) => resolve((await response.toArray()).join(''))),
    );
    console.log(headers);
    server.close();
    server.closeAllConnections();`;
  it.each([
    ['no trace header to a host that is not listed', {}, []],
    ['trace headers to a listed host', { SIPHON_PROPAGATE_TO_HOSTS: 'shop.example' }, ['traceparent']],
    ['the headers of OTEL_PROPAGATORS', { SIPHON_PROPAGATE_TO_HOSTS: '.example', OTEL_PROPAGATORS: 'b3' }, ['b3']],
    ['none with OTEL_PROPAGATORS=none', { SIPHON_PROPAGATE_TO_HOSTS: '.example', OTEL_PROPAGATORS: 'none' }, []],
  ])('is %s', async (_, environment, expected) => {
    const { lines } = await runScript(asking, 'http://127.0.0.1:9', { environment });
    const headers = Object.keys(JSON.parse(lines[0] ?? '') as object);
    expect(headers.filter((name) => ['traceparent', 'b3', 'baggage'].includes(name))).toEqual(expected);
  });

  it('is compressed when OTEL_EXPORTER_OTLP_COMPRESSION asks for it', async () => {
    await using capture = await OtlpCapture.start();
    await runScript('', capture.url, { environment: { OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' } });
    expect(capture.metrics().map(({ name }) => name)).toContain('memory.usage');
  });

  it('has the first metrics after five seconds, not after an interval', async () => {
    await using capture = await OtlpCapture.start();
    const script = `
      setTimeout(() => console.log('now'), 6500);
      setTimeout(() => process.exit(), 10_000);`;
    let names: string[] = [];
    const { stderr } = await runScript(script, capture.url, {
      onLine: (_, kill) => {
        names = capture.metrics().map(({ name }) => name);
        kill('SIGKILL');
      },
    });
    expect(stderr).toBe('');
    expect(names).toContain('memory.usage');
  });

  it('arrives over gRPC', async () => {
    await using sidecar = await Sidecar.start();
    const endpoint = sidecar.otlpGrpc;
    await runScript('', endpoint, { environment: { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' } });
    expect(await sidecar.scrape()).toMatch(/^memory_usage_bytes\{.*job="foreign"/m);
  });

  it('is nothing from worker threads, and nothing at all with OTEL_SDK_DISABLED', async () => {
    const script = `
      import { Worker } from 'node:worker_threads';
      const worker = new Worker('console.log(Symbol.for("opentelemetry.js.api.1") in globalThis)', { eval: true });
      await new Promise((resolve) => worker.on('exit', resolve));
      console.log(Symbol.for('opentelemetry.js.api.1') in globalThis);`;
    await using capture = await OtlpCapture.start();
    const options = { flags: [], environment: { NODE_OPTIONS: IMPORT.join(' ') } };
    expect((await runScript(script, capture.url, options)).lines).toEqual(['false', 'true']);
    const sent = capture.requestCount;
    const disabled = { flags: [], environment: { ...options.environment, OTEL_SDK_DISABLED: 'true' } };
    expect((await runScript(script, capture.url, disabled)).lines).toEqual(['false', 'false']);
    expect(capture.requestCount).toBe(sent);
  });
});

describe('a preloaded node', () => {
  it.each([['-e'], ['-p']])('evaluates code with %s', async (flag) => {
    for (const flags of [IMPORT, REQUIRE]) {
      const ended = await project.run(`console.log('ran')`, { flags: [...flags, flag] });
      expect(ended).toMatchObject({ code: 0, stderr: '' });
      expect(ended.lines).toContain('ran');
    }
  });

  it('is not observed when it runs a package manager', async () => {
    await project.write('npm-cli.js', `console.log(Symbol.for('opentelemetry.js.api.1') in globalThis)`);
    const ended = await project.run('npm-cli.js', { environment: { NODE_OPTIONS: IMPORT.join(' ') } });
    expect(ended).toMatchObject({ code: 0, stderr: '', lines: ['false'] });
  });

  it('is observed when another tool has registered import-in-the-middle before', async () => {
    await project.write(
      'other-tool.mjs',
      `import { register } from 'node:module';
      register('import-in-the-middle/hook.mjs', ${JSON.stringify(import.meta.url)}, { data: { include: ['express'] } });`,
    );
    await using capture = await OtlpCapture.start();
    const script = `import { get } from 'node:http'; get('http://127.0.0.1:9/').on('error', () => console.log('failed'));`;
    const flags = ['--import', './other-tool.mjs', ...IMPORT];
    expect(await runScript(script, capture.url, { flags })).toMatchObject({ code: 0, lines: ['failed'] });
    expect(capture.spans().map(({ name }) => name)).toEqual(['GET']);
  });
});

describe('an instrumentation of the service, in a second --import', () => {
  it.each(['cjs', 'mjs'])('works next to the preload in %s', async (format) => {
    await using own = await InstalledProject.create({
      also: ['@opentelemetry/instrumentation', 'import-in-the-middle', 'express'],
    });
    await own.write(
      'own.mjs',
      `import { registerInstrumentations, InstrumentationBase, InstrumentationNodeModuleDefinition } from '@opentelemetry/instrumentation';
      import { register } from 'node:module';
      register('import-in-the-middle/hook.mjs', import.meta.url, { data: { include: ['express'] } });
      class Own extends InstrumentationBase {
        init() {
          return new InstrumentationNodeModuleDefinition('express', ['*'], (exports) => {
            const { tracer } = this;
            const { application } = exports.default ?? exports;
            const { listen } = application;
            application.listen = function own(...args) {
              tracer.startSpan('own listen').end();
              return listen.apply(this, args);
            };
            return exports;
          });
        }
      }
      registerInstrumentations({ instrumentations: [new Own('own', '1', {})] });`,
    );
    const load = (name: string): string =>
      format === 'cjs' ? `const ${name} = require('${name}');` : `import ${name} from '${name}';`;
    await own.write(
      `app.${format}`,
      `${load('express')} ${load('http')}
      const app = express();
      app.get('/orders/:id', (request, response) => response.end());
      const server = app.listen(0, '127.0.0.1', () => {
        const { port } = server.address();
        http.get({ port, path: '/orders/1', agent: false }, (response) => response.resume().on('end', () => server.close()));
      });`,
    );
    await using capture = await OtlpCapture.start();
    const flags = [...IMPORT, '--import', './own.mjs'];
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: capture.url };
    expect(await own.run(`app.${format}`, { flags, environment })).toMatchObject({ code: 0 });
    const names = capture.spans().map(({ name }) => name);
    expect(names.toSorted()).toEqual(['GET', 'GET /orders/:id', 'own listen']);
  });
});

describe('a preload that cannot start', () => {
  it('writes one line, and leaves the application unobserved and unharmed', async () => {
    await using broken = await InstalledProject.create();
    await rm(path.join(broken.folder, 'node_modules/siphon-otel/dist/sdk/service-observer.cjs'));
    await using capture = await OtlpCapture.start();
    await broken.write(
      'app.cjs',
      `const { get } = require('node:http');
      console.log('__wrapped' in get, process.listenerCount('SIGTERM'));
      get('http://127.0.0.1:9/').on('error', () => {});`,
    );
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: capture.url };
    const ended = await broken.run('app.cjs', { flags: REQUIRE, environment });
    expect(ended).toMatchObject({ code: 0, lines: ['false 0'] });
    expect(ended.stderr).toMatch(/^siphon-otel\/preload: this process is not observed: .*service-observer/);
    expect(capture.spans()).toEqual([]);
  });
});

describe('the types of the package', () => {
  it('resolve for a consumer, who cannot compile a wrong label', async () => {
    await project.write(
      'consumer.mts',
      `import 'siphon-otel/preload';
      import { instruments, type Metric } from 'siphon-otel/instruments';
      import { recordFetch, runOperation, withBackoff } from 'siphon-otel/pipeline';
      const orders = {
        source: 'sdk', kind: 'counter', name: 'orders', unit: '{order}', description: 'Orders',
        labels: { channel: ['web', 'phone'] },
      } as const satisfies Metric;
      const record = instruments({ orders_total: orders });
      record.orders_total({ channel: 'web' });
      // @ts-expect-error -- no such channel
      record.orders_total({ channel: 'fax' });
      recordFetch({ source: 'a', platform: 'shopify' }, 0.1, 200);
      // @ts-expect-error -- no such platform
      recordFetch({ source: 'a', platform: 'ebay' }, 0.1, 200);
      // @ts-expect-error -- no such operation
      await runOperation('A.9', { source: 'a' }, async () => 1);
      export const answer: Response = await withBackoff({ service: 'a' }, async () => await fetch('x'));`,
    );
    const compilerOptions = { module: 'nodenext', target: 'es2024', strict: true, noEmit: true, types: ['node'] };
    await project.write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['consumer.mts'] }));
    const tsc = path.join(fileURLToPath(new URL('../../', import.meta.url)), 'node_modules/.bin/tsc');
    await promisify(execFile)(tsc, ['-p', project.folder]);
  });
});
