/** Clients of databases and queues, each with its real server. A server that is missing is reported and its test skipped. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { plainAttributes, type CapturedSpan } from '../support/otlp/otlp-capture.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres/test-postgres.ts';
import { projectRoot } from '../support/processes/demo-process.ts';
import { runObservedFile } from '../support/processes/observed-script.ts';

const REDIS = process.env['SIPHON_TEST_REDIS_URL'] ?? 'redis://127.0.0.1:6379';
const MYSQL = process.env['SIPHON_TEST_MYSQL_URL'] ?? 'mysql://root@127.0.0.1:3306/test';
const RABBITMQ = process.env['SIPHON_TEST_RABBITMQ_URL'] ?? 'amqp://guest:guest@127.0.0.1:5672';

const missing = new Map<string, string>();
for (const url of [REDIS, MYSQL, RABBITMQ]) {
  const { protocol, hostname, port } = new URL(url);
  if (await isListening(hostname, Number(port))) continue;
  missing.set(url, `nothing listens on ${hostname}:${port}`);
  process.stderr.write(`The client of ${protocol}// is not tested: ${missing.get(url)}\n`);
}

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres({ schema: false });
});
afterAll(async () => await postgres[Symbol.asyncDispose]());

describe.skipIf(missing.has(REDIS))('Redis', () => {
  it.each([
    ['redis', 'Error'],
    ['ioredis', 'ReplyError'],
  ])('is observed with %s, without keys and values', async (client, error) => {
    const spans = await spansOf(client, REDIS);
    expect(spans.map(summary)).toEqual(['SET', 'GET', `NOSUCHCOMMAND ${error}`]);
    expect(spans[0]?.attributes).toMatchObject({ 'db.system.name': 'redis', 'db.namespace': '0' });
  });

  it('carries the context through the jobs of BullMQ', async () => {
    const spans = await spansOf('bullmq', REDIS);
    const jobs = spans.filter(({ kind }) => kind === 'SPAN_KIND_PRODUCER' || kind === 'SPAN_KIND_CONSUMER');
    expect(jobs.map(({ name, parent }) => `${name} <- ${parent}`)).toEqual([
      'add coffee.welcome <- caller',
      'process coffee <- add coffee.welcome',
      'add coffee.broken <- caller',
      'process coffee <- add coffee.broken',
    ]);
    expect(jobs.map(summary).at(-1)).toBe('process coffee RangeError');
    expect(jobs.flatMap(({ exceptions }) => exceptions)).toEqual([expect.stringMatching(/^RangeError: no coffee\n/)]);
  });
});

describe.skipIf(missing.has(MYSQL))('MySQL', () => {
  it('is observed with mysql2, without the values that the client puts into the text', async () => {
    const spans = await spansOf('mysql2', MYSQL);
    const database = new URL(MYSQL).pathname.slice(1);
    expect(spans.map(summary)).toEqual([
      `SELECT ${database}`,
      `SELECT ${database}`,
      `SELECT ${database} ER_NO_SUCH_TABLE`,
    ]);
    expect(spans.map(textOf)).toEqual(['select ? as it, ? as text', 'select ? as it', 'select * from no_such_table']);
  });
});

describe('PostgreSQL', () => {
  it('is observed with postgres.js, whose cursors end', async () => {
    const spans = await spansOf('postgres', postgres.url);
    expect(spans.map(summary)).toEqual(['SELECT', 'SELECT', 'SELECT 42P01']);
    expect(spans.map(textOf)).toEqual([
      'select ?::text as it, ? as literal',
      'select generate_series(?, ?)',
      'select * from no_such_table',
    ]);
  });

  it('is observed with cursors and streams of pg, whose spans end', async () => {
    const spans = await spansOf('pg-query-stream', postgres.url);
    const statements = spans.filter(({ name }) => !name.includes('connect'));
    const { pathname } = new URL(postgres.url);
    expect(statements.map(summary)).toEqual([
      `SELECT ${pathname.slice(1)}`,
      `SELECT ${pathname.slice(1)} 42P01`,
      `pg.query:SELECT ${pathname.slice(1)}`,
    ]);
    expect(textOf(statements[0]!)).toBe('select generate_series(?, $1), ? as it');
  });
});

describe.skipIf(missing.has(RABBITMQ))('RabbitMQ', () => {
  it('carries the context in the headers of amqplib', async () => {
    const spans = await spansOf('amqplib', RABBITMQ);
    const [send, ...rest] = spans;
    expect([send?.kind, send?.parent]).toEqual(['SPAN_KIND_PRODUCER', 'caller']);
    expect(rest.map(({ kind, parent }) => [kind, parent])).toEqual([['SPAN_KIND_CONSUMER', send?.name]]);
  });
});

it('carries the context in the headers of kafkajs, through a broker of the test', async () => {
  const spans = await spansOf('kafkajs', 'none');
  expect(spans.map((span) => `${span.kind.slice(10)} ${summary(span)} <- ${span.parent}`)).toEqual([
    'PRODUCER send coffee <- caller',
    'PRODUCER send tea <- caller',
    'PRODUCER send coffee KafkaJSNonRetriableError <- caller',
    'CONSUMER process coffee Error <- send coffee',
    'CONSUMER process coffee <- send coffee',
    'CONSUMER process tea <- caller',
  ]);
  expect(spans.map(({ linked }) => linked)).toEqual([[], [], [], [], [], ['send tea']]);
  expect(spans.map(({ exceptions }) => exceptions.length)).toEqual([0, 0, 0, 1, 0, 0]);
  expect(spans.at(-1)?.attributes).toEqual({
    'messaging.system': 'kafka',
    'messaging.operation.type': 'process',
    'messaging.destination.name': 'tea',
    'messaging.destination.partition.id': '0',
    'messaging.batch.message_count': '2',
  });
});

it('observes the driver of MongoDB by commands and collections, without their contents', async () => {
  const spans = await spansOf('mongodb', 'none');
  expect(spans.map(summary)).toEqual(['find orders', 'drop shop MongoServerError']);
  expect(spans[0]?.attributes).toMatchObject({
    'db.system.name': 'mongodb',
    'db.namespace': 'shop',
    'server.address': '127.0.0.1',
  });
});

describe('gRPC', () => {
  it('is one trace of client and server, whose headers only known hosts receive', async () => {
    const spans = await spansOf('grpc', 'none');
    const calls = spans.map((span) => `${span.kind.slice(10)} ${summary(span)} <- ${span.parent}`);
    expect(calls).toEqual([
      'CLIENT shop.Orders/Get <- caller',
      'SERVER shop.Orders/Get <- shop.Orders/Get',
      'CLIENT shop.Orders/List <- caller',
      'SERVER shop.Orders/List <- shop.Orders/List',
      'CLIENT shop.Orders/Fail 14 <- caller',
      'SERVER shop.Orders/Fail 14 <- shop.Orders/Fail',
      'CLIENT shop.Orders/Get <- caller',
      'SERVER shop.Orders/Get <- undefined',
    ]);
    expect(spans.flatMap(({ exceptions }) => exceptions)).toEqual([expect.stringMatching(/^Error: no coffee\n/)]);
  });
});

describe('HTTP/2', () => {
  it.each([
    ['an ES module', 'es'],
    ['CommonJS', 'cjs'],
  ] as const)(
    'is observed in %s, to the end of each request, and only known hosts receive headers',
    async (_, format) => {
      const folder = mkdtempSync(path.join(projectRoot, 'node_modules/.clients-'));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const bundle = await rolldown({ input: moduleOf('http2'), platform: 'node', external: ['@opentelemetry/api'] });
      const file = path.join(folder, format === 'cjs' ? 'http2.cjs' : 'http2.mjs');
      await bundle.write({ file, format });
      const args = [CALL, 'use', 'none', file];
      await using run = await runObservedFile(args, {}, 'siphon-otel/preload');
      expect(run).toMatchObject({ code: 0, stderr: '' });
      expect(run.stdout.trim().split('\n')).toEqual([
        '/reset fails with ERR_HTTP2_STREAM_ERROR',
        '/destroyed fails with TypeError',
        'no headers for /stranger',
      ]);
      const spans = spansIn(run.capture.spans());
      const ends = spans.map(({ kind, parent, attributes }) => {
        const {
          'url.full': url = '',
          'http.response.status_code': status = '-',
          'error.type': error = '-',
        } = attributes;
        return `${kind.slice(10)} ${new URL(String(url)).pathname} ${String(status)} ${String(error)} <- ${parent}`;
      });
      expect(ends).toEqual([
        'CLIENT /ok 200 - <- caller',
        'CLIENT /unavailable 503 503 <- caller',
        'CLIENT /reset - ERR_HTTP2_STREAM_ERROR <- caller',
        'CLIENT /cancelled - AbortError <- caller',
        'CLIENT /destroyed - TypeError <- caller',
        'CLIENT /promised 200 - <- caller',
        'CLIENT /stranger 200 - <- caller',
        'CLIENT /refused - ECONNREFUSED <- caller',
        'CLIENT /unread 200 - <- caller',
      ]);
      expect(spans[4]?.exceptions).toEqual([expect.stringMatching(/^TypeError: no coffee\n/)]);
      const measured = run.capture
        .histogramAttributes('http.client.request.duration')
        .map((point) => Object.values(point).join(' '));
      expect(new Set(measured)).toEqual(
        new Set([
          'GET 200',
          'POST 200',
          'GET 503 503',
          'GET ERR_HTTP2_STREAM_ERROR',
          'GET AbortError',
          'GET TypeError',
          'GET ECONNREFUSED',
        ]),
      );
    },
  );
});

describe('GraphQL', () => {
  it.each([
    ['version 17', 'graphql', 'es'],
    ['version 17 as CommonJS', 'graphql', 'cjs'],
    ['version 17 in a bundle', undefined, 'es'],
    ['version 16, which is patched', 'graphql16', 'es'],
    ['version 16 as CommonJS', 'graphql16', 'cjs'],
  ] as const)('names operations without what they ask for: %s', async (_name, source, format) => {
    const folder = mkdtempSync(path.join(projectRoot, 'node_modules/.clients-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const external = ['@opentelemetry/api', ...(source === undefined ? [] : ['graphql'])];
    if (source !== undefined) {
      cpSync(`node_modules/${source}`, path.join(folder, 'node_modules/graphql'), { recursive: true });
    }
    const bundle = await rolldown({ input: moduleOf('graphql'), platform: 'node', external });
    const file = path.join(folder, format === 'cjs' ? 'graphql.cjs' : 'graphql.mjs');
    await bundle.write({ file, format });
    const spans = await spansOf('graphql', 'none', file);
    const lookups = spans.filter(({ name }) => name === 'lookup');
    const all = spans.filter(({ name }) => name !== 'lookup');
    const operations = all.slice(0, -200);
    expect(operations.map(summary)).toEqual([
      'query Price',
      'query',
      'query Broken RangeError',
      'query Failures Error',
      'query Refused GraphQLError',
      'mutation Order GraphQLError',
      'query Two',
      'GraphQL operation GraphQLError',
      'subscription Brewing',
    ]);
    expect(new Set(operations.map(({ parent }) => parent))).toEqual(new Set(['caller']));
    expect(lookups.map(({ parent }) => parent)).toEqual(['query Price', 'query', 'query Two']);
    expect(operations.map(({ exceptions }) => exceptions.length)).toEqual([0, 0, 1, 10, 0, 0, 0, 0, 0]);
    expect(operations[2]?.exceptions).toEqual([expect.stringMatching(/^RangeError: no coffee\n/)]);
    expect(operations[3]?.attributes['siphon.lost_exceptions']).toBe('20');
    expect(operations[6]?.attributes).toEqual({ 'graphql.operation.type': 'query', 'graphql.operation.name': 'Two' });
    const last = all.at(-1);
    expect(new Set(all.map(({ name }) => name)).size, '200 with names, and two without').toBe(202);
    expect([last?.name, last?.attributes['graphql.operation.name']]).toEqual(['query', 'Client199']);
  });
});

describe('an error that the service handles', () => {
  it.each([
    ['ioredis', () => REDIS],
    ['redis', () => REDIS],
    ['mysql', () => MYSQL],
    ['postgres', () => postgres.url],
  ])('stays handled with %s', (scenario, server) => {
    const url = server();
    if (missing.has(url)) return;
    const args = ['--import', 'siphon-otel/preload', 'tests/support/clients/handled-errors.mjs', scenario, url];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, OPTIONS);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'done\n', stderr: '' });
  });
});

const OPTIONS = { cwd: projectRoot, timeout: 20_000, killSignal: 'SIGKILL', encoding: 'utf8' } as const;

describe('an error that nothing handles', () => {
  const clients = [
    ['redis', () => REDIS],
    ['ioredis', () => REDIS],
    ['mysql2', () => MYSQL],
    ['postgres', () => postgres.url],
    ['pg-query-stream', () => postgres.url],
  ] as const;

  it.each(clients)('ends the process of %s with and without the preload', async (client, server) => {
    const url = server();
    if (missing.has(url)) return;
    const args = [CALL, 'fail', url, moduleOf(client)];
    const bare = spawnSync(process.execPath, args, OPTIONS);
    const observed = spawnSync(process.execPath, ['--import', 'siphon-otel/preload', ...args], OPTIONS);
    expect({ status: bare.status, stderr: bare.stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(/NOSUCHCOMMAND|no_such_table/),
    });
    expect(observed.status).toBe(1);
    expect(observed.stderr.split('\n')[4]).toBe(bare.stderr.split('\n')[4]);
  });
});

const CALL = 'tests/support/clients/call.mjs';

function moduleOf(client: string): string {
  return `tests/support/clients/${client}.mjs`;
}

interface ClientSpan {
  readonly name: string;
  readonly kind: CapturedSpan['kind'];
  /** The name of its parent. */
  readonly parent: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The names of the spans that it has links to. */
  readonly linked: readonly unknown[];
  /** The stacks of its exceptions. */
  readonly exceptions: readonly unknown[];
}

/** The spans that a client makes within one span, in the order of their starts. */
async function spansOf(client: string, url: string, file = moduleOf(client)): Promise<readonly ClientSpan[]> {
  await using run = await runObservedFile([CALL, 'use', url, file], {}, 'siphon-otel/preload');
  expect(run).toMatchObject({ code: 0, stderr: '', stdout: '' });
  const spans = run.capture.spans();
  expect(JSON.stringify(spans)).not.toMatch(/secret/);
  return spansIn(spans);
}

function spansIn(spans: readonly CapturedSpan[]): readonly ClientSpan[] {
  const names = new Map(spans.map(({ span_id, name }) => [span_id, name]));
  return spans
    .toSorted((one, other) => Number(BigInt(one.start_time_unix_nano) - BigInt(other.start_time_unix_nano)))
    .filter(({ name }) => name !== 'caller')
    .map(({ name, kind, parent_span_id, attributes, events = [], links = [] }) => ({
      name,
      kind,
      parent: names.get(parent_span_id ?? ''),
      attributes: plainAttributes(attributes),
      linked: links.map(({ span_id = '' }) => names.get(span_id)),
      exceptions: events.map((event) => plainAttributes(event.attributes)['exception.stacktrace']),
    }));
}

function summary({ name, attributes }: ClientSpan): string {
  const error = attributes['error.type'];
  return typeof error === 'string' ? `${name} ${error}` : name;
}

function textOf({ attributes }: ClientSpan): unknown {
  return attributes['db.query.text'];
}

async function isListening(host: string, port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
