/** knex, drizzle and Prisma under the preload, installed from npm: they reach PostgreSQL with `pg`, which is observed. */
import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { OtlpCapture, plainAttributes, type CapturedSpan } from '../support/otlp/otlp-capture.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres/test-postgres.ts';
import { installedFromNpm } from '../support/processes/installed-from-npm.ts';
import { InstalledProject, type Ended } from '../support/processes/installed-project.ts';
import { traceIn } from '../support/toolchains/order-service.ts';
import { PRISMA_SCHEMA, QUERY_BUILDER_SERVICE } from '../support/toolchains/query-builder-service.ts';

const PACKAGES = [
  'knex@3.3.0',
  'drizzle-orm@0.45.4',
  'prisma@7.10.1',
  '@prisma/client@7.10.0',
  '@prisma/adapter-pg@7.10.1',
  `pg@${manifest.devDependencies.pg}`,
];

const folder = await mkdtemp(path.join(tmpdir(), 'siphon-query-builders-'));
const isInstalled = await installedFromNpm(folder, PACKAGES);

describe.skipIf(!isInstalled)('query builders', () => {
  let project: InstalledProject;
  let postgres: TestPostgres;
  let capture: OtlpCapture;
  let ended: Ended;
  beforeAll(async () => {
    [project, postgres, capture] = await Promise.all([
      InstalledProject.create({ folder, also: ['express'] }),
      startTestPostgres({ schema: false }),
      OtlpCapture.start(),
    ]);
    await postgres.sql('create table orders (id integer primary key, state text not null)');
    await project.write('service.mjs', QUERY_BUILDER_SERVICE);
    await project.write('schema.prisma', PRISMA_SCHEMA);
    await generatePrismaClient();
    ended = await project.run('service.mjs', {
      flags: ['--import', 'siphon-otel/preload'],
      environment: {
        DATABASE_URL: postgres.url,
        OTEL_EXPORTER_OTLP_ENDPOINT: capture.url,
        SIPHON_FLUSH_TIMEOUT_MS: '8000',
      },
    });
  });
  afterAll(async () => {
    await Promise.all([project, postgres, capture].map(async (resource) => await resource?.[Symbol.asyncDispose]()));
  });

  it('answer, and let the process end', () => {
    const lines = [1, 2, 3, 4, 5, 6].map((id) => `{"id":${id},"state":"paid"}`);
    expect(ended).toMatchObject({ code: 0, stderr: '', lines });
  });

  it.each(['knex', 'drizzle', 'prisma'])(
    '%s: each of two simultaneous requests has its statements in its trace',
    (name) => {
      const request = `GET /${name}/:id`;
      const statements = ['BEGIN', 'INSERT', 'UPDATE', 'COMMIT', 'SELECT'].map(
        (verb) => `CLIENT ${verb} <- ${request}`,
      );
      const trace = ['CLIENT GET <- none', `SERVER ${request} <- GET`, ...statements].toSorted();
      expect(tracesWith(capture.spans(), request)).toEqual([trace, trace]);
    },
  );

  it('are measured by statement', () => {
    const measured = capture.histogramAttributes('db.client.operation.duration');
    const operations = new Set(measured.map((attributes) => attributes['db.operation.name'] ?? 'none'));
    expect([...operations].toSorted()).toEqual(['BEGIN', 'COMMIT', 'INSERT', 'SELECT', 'UPDATE']);
  });
});

/** Prisma's command would download its engine for migrations first, which this does not need. */
async function generatePrismaClient(): Promise<void> {
  const prisma = path.join(folder, 'node_modules/prisma/build/index.js');
  const environment = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' };
  await promisify(execFile)(process.execPath, [prisma, 'generate'], { cwd: folder, env: environment });
}

/** Returns those with this span, without the spans of new connections, which only the first request opens. */
function tracesWith(spans: readonly CapturedSpan[], name: string): (readonly string[])[] {
  const traces = Map.groupBy(spans, (span) => span.trace_id);
  return [...traces.values()]
    .filter((trace) => trace.some((span) => span.name === name))
    .map((trace) => traceIn(trace.filter((span) => !isOfConnection(span))));
}

/** knex asks a new connection for the version of the server. */
function isOfConnection({ name, attributes }: CapturedSpan): boolean {
  return /^pg(-pool)?\.connect/.test(name) || plainAttributes(attributes)['db.query.text'] === 'select version();';
}
