import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ConfigError } from '../../../engine/config/config-error.ts';
import { loadConfig } from '../../../engine/config/load-config.ts';
import { packs as builtInPacks } from '../../../packs/index.ts';
import { componentFactories } from '../../index.ts';
import type { DbPollerConfig } from './config.ts';
import { configuredPacks, plannedQueries } from './plan.ts';

const folder = mkdtempSync(join(tmpdir(), 'siphon-packs-'));
afterAll(() => rmSync(folder, { recursive: true }));

const valibot = fileURLToPath(import.meta.resolve('valibot'));

/** The text of a module with a pack. */
function packModule({ name = 'shop', metric = 'shop_orders_open', exported = 'export default', database = true } = {}) {
  return `
    import * as v from ${JSON.stringify(valibot)};
    const metric = { source: 'poller', kind: 'gauge', name: 'shop.orders.open', unit: '{order}', description: '', labels: {} };
    const gauge = { needs: { orders: ['id'] }, metrics: { n: { metric, merge: 'sum' } }, statement: () => ({ text: 'select 1 as n' }) };
    const database = {
      settings: v.strictObject({ schema: v.optional(v.string(), 'public'), stale_after: v.optional(v.number(), 60) }),
      names: { gauges: ['orders'], counters: [] },
      create: ({ schema }) => ({ schema, gauges: { orders: gauge }, counters: {} }),
    };
    ${exported} { name: '${name}', metrics: { ${metric}: metric } ${database ? ', database' : ''} };`;
}

beforeAll(() => {
  const files = {
    'shop.mjs': packModule(),
    'named.mjs': packModule({ name: 'named', metric: 'named_orders', exported: 'export const pack =' }),
    'again.mjs': packModule({ metric: 'again_orders' }),
    'same-metric.mjs': packModule({ name: 'other' }),
    'built-in.mjs': packModule({ name: 'postgres_health', metric: 'x' }),
    'no-database.mjs': packModule({ name: 'plain', database: false }),
    'no-export.mjs': 'export const shop = 1;',
    'no-pack.mjs': "export default { name: 'Shop', metrics: {} };",
    'broken.mjs': "throw new Error('out of beans');",
    'typed.ts': packModule({ name: 'typed', metric: 'typed_orders' }),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
});

/** The configuration of a poller with these packs, or the problems of the configuration file. */
async function load(packs: string, queries = ''): Promise<DbPollerConfig | string[]> {
  const text = `
receivers:
  db_poller:
    datasource: postgresql://127.0.0.1:1/none
    packs:
      ${packs.replaceAll('\n', '\n      ')}
    ${queries}
exporters: {debug: }
service: {pipelines: {metrics: {receivers: [db_poller], exporters: [debug]}}}`;
  try {
    const source = { name: join(folder, 'c.yaml'), text };
    const factories = componentFactories(builtInPacks);
    const { config } = await loadConfig({ sources: [source], sets: [], environment: {}, factories });
    return config.receivers.get('db_poller')?.config as DbPollerConfig;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.replaceAll(folder, '').split('\n');
  }
}

async function loaded(packs: string): Promise<DbPollerConfig> {
  const config = await load(packs);
  if (Array.isArray(config)) throw new Error(config.join('\n'));
  return config;
}

it('runs the queries of a pack in a file, next to those of built-in packs', async () => {
  const config = await loaded('./shop.mjs: {schema: sales, queries: {orders: {timeout: 2s}}}\npostgres_health:');
  const planned = plannedQueries(config, await configuredPacks(config));
  expect(planned.map(({ id }) => id)).toEqual([
    ...['activity', 'locks', 'statistics', 'size', 'tables'].map((name) => `postgres_health.${name}`),
    'shop.orders',
  ]);
  expect(planned.at(-1)).toMatchObject({
    timeoutMs: 2000,
    timeoutPlace: `packs::${join(folder, 'shop.mjs')}::queries::orders::timeout`,
    pack: { schema: 'sales' },
  });
});

it('accepts a pack that is exported as pack, one without settings, and TypeScript', async () => {
  const config = await loaded(`./named.mjs:\n${join(folder, 'typed.ts')}: {}`);
  expect(config.packs.map(({ name, settings }) => [name, settings])).toEqual([
    ['named', { schema: 'public', stale_after: 60 }],
    ['typed', { schema: 'public', stale_after: 60 }],
  ]);
});

const AT = '/c.yaml:6 receivers::db_poller::packs::';

it.each([
  ['a file that does not exist', './missing.mjs:', `${AT}/missing.mjs: file not found, or not readable`],
  ['a module without an export', './no-export.mjs: {}', `${AT}/no-export.mjs: does not export a pack: export it as default or as pack`],
  ['an export that is not a pack', './no-pack.mjs:', `${AT}/no-pack.mjs: does not export a pack: name must be in snake case; use definePack from siphon-otel/pack`],
  ['a pack without queries', './no-database.mjs:', `${AT}/no-database.mjs: pack plain has no database part, so db_poller cannot use it`],
  ['a module that throws', './broken.mjs:', `${AT}/broken.mjs: cannot be imported: out of beans`],
  ['the name of a built-in pack', './built-in.mjs:', `${AT}/built-in.mjs: has the same name as a built-in pack: postgres_health`],
  ['a second pack of the same name', './shop.mjs:\n./again.mjs:', '/c.yaml:7 receivers::db_poller::packs::/again.mjs: has the same name as /shop.mjs: shop'],
  ['a metric of another pack', './shop.mjs:\n./same-metric.mjs:', '/c.yaml:5 receivers::db_poller::packs: /same-metric.mjs and /shop.mjs both publish the metric shop_orders_open'],
  ['an unknown setting', './shop.mjs: {stale_aftr: 1}', `${AT}/shop.mjs::stale_aftr: is an unknown key (did you mean stale_after?); allowed: schema, stale_after, queries`],
  ['a wrong setting', './shop.mjs: {stale_after: soon}', `${AT}/shop.mjs::stale_after: must be a number`],
  ['an unknown query', './shop.mjs: {queries: {carts: {}}}', `${AT}/shop.mjs::queries::carts: must be one of the pack's queries: orders`],
  ['an unknown pack', 'postgres_health:\npostgres_helth: {}', '/c.yaml:7 receivers::db_poller::packs::postgres_helth: is an unknown key (did you mean postgres_health?); allowed: scrape_pipeline, postgres_health'],
])('refuses %s, with its line', async (_, packs, problem) => {
  expect(await load(packs)).toEqual([problem]);
}); // prettier-ignore

it('refuses a query of the user that publishes a metric of the pack', async () => {
  const query =
    'queries: [{name: open, kind: gauge, metric_name: shop.orders.open, sql: select 1 as n, value_column: n}]';
  expect(await load('./shop.mjs:', query)).toEqual([
    expect.stringMatching(/queries: open and the pack \/shop.mjs both publish the metric shop\.orders\.open$/),
  ]);
});
