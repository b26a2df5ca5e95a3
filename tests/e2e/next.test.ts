/** Next.js under the preload, installed from npm and built: it answers and ends as without it, and each request is one. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { OtlpCapture, plainAttributes, type CapturedMetric, type CapturedSpan } from '../support/otlp/otlp-capture.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres/test-postgres.ts';
import { installedFromNpm } from '../support/processes/installed-from-npm.ts';
import { InstalledProject } from '../support/processes/installed-project.ts';
import { NEXT_SERVICE } from '../support/toolchains/next-service.ts';

const PACKAGES = ['next@16.4.6', 'react@19.3.1', 'react-dom@19.3.1', `pg@${manifest.devDependencies.pg}`];

const TARGETS = ['/orders/42', '/orders/13', '/items/mocha', '/nothing'];

const folder = await mkdtemp(path.join(tmpdir(), 'siphon-next-'));
const isInstalled = await installedFromNpm(folder, PACKAGES);
const next = path.join(folder, 'node_modules/next/dist/bin/next');

describe.skipIf(!isInstalled)('Next.js', () => {
  let project: InstalledProject;
  let postgres: TestPostgres;
  let capture: OtlpCapture;
  beforeAll(async () => {
    [project, postgres, capture] = await Promise.all([
      InstalledProject.create({ folder }),
      startTestPostgres({ schema: false }),
      OtlpCapture.start(),
    ]);
    for (const [file, text] of Object.entries(NEXT_SERVICE)) {
      await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
      await project.write(file, text);
    }
    const environment = { ...process.env, NODE_ENV: 'production' as const, NEXT_TELEMETRY_DISABLED: '1' };
    await promisify(execFile)(process.execPath, [next, 'build'], { cwd: folder, env: environment });
  });
  afterAll(async () => {
    await Promise.all([project, postgres, capture].map(async (resource) => await resource?.[Symbol.asyncDispose]()));
  });

  it('answers and ends as without the preload', async () => {
    const bare = await answersOf([]);
    expect(bare).toMatchObject({ code: 143, signal: null, answers: { '/orders/42': '200 {"id":42}' } });
    expect(await answersOf(['--import', 'siphon-otel/preload'])).toEqual(bare);
  });

  it('has one server span and one measurement for each request, with the route', async () => {
    const requests = ['GET /items/[slug] 200', 'GET /orders/[id] 200', 'GET /orders/[id] 500', 'GET 404'];
    // The last telemetry may arrive after the end of the process.
    await expect.poll(() => served(capture.spans()), { timeout: 10_000 }).toEqual(requests);
    await expect
      .poll(() => measured(capture.metrics()), { timeout: 10_000 })
      .toEqual(['/items/[slug] 200: 1', '/orders/[id] 200: 1', '/orders/[id] 500: 1', 'none 404: 1']);
    expect(new Set(capture.resourceAttribute('service.name'))).toEqual(new Set(['foreign']));
  });

  it('has the statement in the trace of its request, and the exception once', () => {
    const spans = capture.spans();
    const statement = spans.find(({ name }) => name.startsWith('pg.query:SELECT'));
    const request = spans.find((span) => isServer(span) && span.name === 'GET /orders/[id]');
    expect(pathTo(spans, statement)).toContain(request?.span_id);
    const exceptions = spans.flatMap(({ events = [] }) => events.filter(({ name }) => name === 'exception'));
    expect(exceptions.map(({ attributes }) => plainAttributes(attributes)['exception.message'])).toEqual(['no coffee']);
  });

  /** Starts the application, asks for each target, and stops it. */
  async function answersOf(flags: readonly string[]): Promise<object> {
    let answers: Promise<Readonly<Record<string, string>>> | undefined;
    const { code, signal, stderr } = await project.run(next, {
      flags,
      args: ['start', '--port', '0', '--hostname', '127.0.0.1'],
      environment: {
        DATABASE_URL: postgres.url,
        OTEL_EXPORTER_OTLP_ENDPOINT: capture.url,
        SIPHON_FLUSH_TIMEOUT_MS: '8000',
        NEXT_TELEMETRY_DISABLED: '1',
      },
      onLine: (line, kill) => {
        const [origin] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? [];
        if (origin === undefined || answers !== undefined) return;
        answers = answersAt(origin).finally(() => kill('SIGTERM'));
      },
    });
    return { code, signal, stderr, answers: await answers };
  }
});

async function answersAt(origin: string): Promise<Readonly<Record<string, string>>> {
  const answers: Record<string, string> = {};
  for (const target of TARGETS) {
    const response = await fetch(origin + target);
    answers[target] = `${response.status} ${await response.text()}`;
  }
  return answers;
}

/** Name and status of each request. */
function served(spans: readonly CapturedSpan[]): readonly string[] {
  return spans
    .filter(isServer)
    .map(({ name, attributes }) => `${name} ${plainAttributes(attributes)['http.response.status_code']}`)
    .toSorted();
}

/** Route, status and number of each kind of request. Totals may arrive twice. */
function measured(metrics: readonly CapturedMetric[]): readonly string[] {
  const points = metrics
    .filter(({ name }) => name === 'http.server.request.duration')
    .flatMap(({ histogram }) => histogram?.data_points ?? [])
    .map(({ attributes, count }) => {
      const { 'http.route': route = 'none', 'http.response.status_code': status } = plainAttributes(attributes);
      return `${route} ${status}: ${count}`;
    });
  return [...new Set(points)].toSorted();
}

function isServer({ kind }: CapturedSpan): boolean {
  return kind === 'SPAN_KIND_SERVER';
}

/** The ids of the spans above. */
function pathTo(spans: readonly CapturedSpan[], span: CapturedSpan | undefined): readonly string[] {
  const parent = spans.find(({ span_id: id }) => id === span?.parent_span_id);
  return parent === undefined ? [] : [parent.span_id, ...pathTo(spans, parent)];
}
