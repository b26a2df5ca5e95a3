import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { CollectorConfig } from '../../../../src/engine/collector-config.ts';
import { Collector } from '../../../../src/engine/pipeline/collector.ts';
import { prometheusExporterConfig } from '../../../../src/components/exporters/prometheus/config.ts';
import { prometheusExporter } from '../../../../src/components/exporters/prometheus/factory.ts';
import { fileStorageConfig } from '../../../../src/components/extensions/file-storage/config.ts';
import { fileStorageExtension } from '../../../../src/components/extensions/file-storage/factory.ts';
import { memoryLimiterConfig } from '../../../../src/components/processors/memory-limiter/config.ts';
import { memoryLimiterProcessor } from '../../../../src/components/processors/memory-limiter/factory.ts';
import { dbPollerReceiver } from '../../../../src/components/receivers/db-poller/factory.ts';
import { sqlqueryConfig } from '../../../../src/components/receivers/sqlquery/config.ts';
import { sqlqueryReceiver } from '../../../../src/components/receivers/sqlquery/factory.ts';
import { collectorConfig } from '../../../support/components/collector-config.ts';
import { logLines } from '../../../support/components/log-lines.ts';
import { startTestPostgres, type TestPostgres } from '../../../support/postgres/test-postgres.ts';
import { waitFor } from '../../../support/wait-for.ts';

const dbPoller = dbPollerReceiver([]);
const orders = { name: 'orders', kind: 'counter', metric_name: 'orders', table: 'shop.orders', labels: ['country'] };
const parts = { name: 'parts', kind: 'counter', metric_name: 'parts', table: 'shop.orders' };
const stock = { sql: 'select 7 as n', metrics: [{ metric_name: 'stock', value_column: 'n' }] };
const lost = { sql: 'select 7 as n from nowhere', metrics: stock.metrics };
const sold = { sql: 'select 3 as n', metrics: [{ metric_name: 'sold', value_column: 'n' }] };

let database: TestPostgres;
let directory: string;
let running: Awaited<ReturnType<typeof start>>;

beforeAll(async () => {
  database = await startTestPostgres({ schema: false });
});
afterAll(() => database[Symbol.asyncDispose]());

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'siphon-reload-'));
  await database.sql(`create schema shop;
    create table shop.orders (id int primary key generated always as identity, country text)`);
  running = await start(await configured([orders, parts]));
});
afterEach(async () => {
  await running.collector.shutdown(AbortSignal.timeout(5000));
  await rm(directory, { recursive: true });
  await database.sql('drop schema shop cascade');
});

it('ends the series of a query that fails after a reload, and continues the others', async () => {
  await sells('FR', 2);
  await shows('orders_total{country="FR"', 2);
  await shows('parts_total{', 2);
  const created = await sample('parts_created{');

  await reload([{ ...orders, labels: ['contry'] }, parts]);
  expect(await sample('orders_total{')).toBeUndefined();
  await waitFor(() => running.lines.some(({ msg, query }) => msg === 'Query failed' && query === 'orders'), {
    what: 'the failure',
  });
  await sells('FR', 1);
  await shows('parts_total{', 3);
  expect(await sample('parts_created{')).toBe(created);
  expect(await sample('orders_total{')).toBeUndefined();
});

it('ends the series of a query that a reload removes', async () => {
  await sells('DE', 1);
  await shows('orders_total{country="DE"', 1);

  await reload([parts]);
  await shows('parts_total{', 1);
  expect(await sample('orders_total{')).toBeUndefined();
});

it('ends the series of a poller that a reload removes', async () => {
  await sells('DE', 1);
  await shows('orders_total{country="DE"', 1);

  await running.reload(await configured([]));
  await shows('stock{', 7);
  expect(await sample('orders_total{')).toBeUndefined();
});

it('does not wait for a kept processor when the exporter changes too', async () => {
  await shows('stock{', 7);
  const startedAt = performance.now();
  await running.reload(await configured([parts], [sold], { enable_open_metrics: true, metric_expiration: '1m' }));
  expect(performance.now() - startedAt).toBeLessThan(1500);
});

it('ends the series of a query of sqlquery that fails after a reload, or is removed', async () => {
  await shows('stock{', 7);
  await shows('sold{', 3);
  await reload([parts], [lost]);
  expect(await sample('stock{')).toBeUndefined();
  expect(await sample('sold{')).toBeUndefined();
});

async function sells(country: string, count: number): Promise<void> {
  for (const name of ['orders', 'parts'])
    await waitFor(() => sample(`siphon_db_poller_query_duration_seconds_count{receiver="db_poller",query="${name}"`, running.own), { what: `the baseline of ${name}` }); // prettier-ignore
  await database.sql('insert into shop.orders (country) select $1 from generate_series(1, $2)', [country, count]);
}

async function reload(queries: readonly object[], sqlQueries?: readonly object[]): Promise<void> {
  await running.reload(await configured(queries, sqlQueries));
}

/** The value of the first sample that starts with these characters. */
async function sample(prefix: string, page = running.page): Promise<number | undefined> {
  const line = (await page()).split('\n').find((text) => text.startsWith(prefix));
  return line === undefined ? undefined : Number(/^[^{ ]+(?:\{.*\})? (\S+)/.exec(line)?.[1]);
}

async function shows(prefix: string, value: number): Promise<void> {
  await waitFor(async () => (await sample(prefix)) === value, { what: `${prefix} at ${value}` });
}

async function configured(
  queries: readonly object[],
  sqlQueries: readonly object[] = [stock, sold],
  page: object = { enable_open_metrics: true },
): Promise<CollectorConfig> {
  const datasource = `${database.url}?sslmode=disable`;
  const pace = { datasource, collection_interval: '200ms', initial_delay: 0 };
  const poller = { ...pace, storage: 'file_storage', queries };
  const asked = { ...pace, driver: 'postgres', queries: sqlQueries };
  const isPolled = queries.length > 0;
  return collectorConfig({
    factories: {
      ...(isPolled ? { db_poller: dbPoller } : {}),
      sqlquery: sqlqueryReceiver,
      memory_limiter: memoryLimiterProcessor,
      prometheus: prometheusExporter,
      file_storage: fileStorageExtension,
    },
    configs: {
      ...(isPolled ? { db_poller: await v.parseAsync(dbPoller.config, poller) } : {}),
      sqlquery: v.parse(sqlqueryConfig, asked),
      prometheus: v.parse(prometheusExporterConfig, { endpoint: '127.0.0.1:0', ...page }),
      memory_limiter: v.parse(memoryLimiterConfig, { check_interval: '1s', limit_mib: 4000 }),
      file_storage: v.parse(fileStorageConfig, { directory }),
    },
    written: { db_poller: poller, sqlquery: asked, prometheus: page },
    extensions: ['file_storage'],
    pipelines: {
      metrics: {
        receivers: [...(isPolled ? ['db_poller'] : []), 'sqlquery'],
        processors: ['memory_limiter'],
        exporters: ['prometheus'],
      },
    },
    metricsPort: 0,
  });
}

async function start(config: CollectorConfig) {
  const { logger, lines } = logLines();
  const collector = new Collector(config, { version: '1.2.3', logger, drainTimeoutMs: 5000 });
  await collector.start();
  const pageOf = (id: string) => async (): Promise<string> => {
    const { endpoint } = lines.find((line) => line['id'] === id && line['msg'] === 'Listening') ?? {};
    const headers = { accept: 'application/openmetrics-text; version=1.0.0' };
    return await (await fetch(`http://${String(endpoint)}/metrics`, { headers })).text();
  };
  return {
    collector,
    lines,
    page: pageOf('prometheus'),
    own: pageOf('metrics'),
    reload: async (next: CollectorConfig) => await collector.reload(() => Promise.resolve(next)),
  };
}
