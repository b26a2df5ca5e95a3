import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ConfigError } from '../../../../src/engine/config/config-error.ts';
import { loadConfig } from '../../../../src/engine/config/load-config.ts';
import { packs as builtInPacks } from '../../../../src/packs/index.ts';
import { groups } from '../../../../src/packs/postgres-health/groups/index.ts';
import { componentFactories } from '../../../../src/components/index.ts';
import type { DbPollerConfig } from '../../../../src/components/receivers/db-poller/config.ts';
import { configuredPacks, plannedQueries } from '../../../../src/components/receivers/db-poller/plan.ts';

const folder = mkdtempSync(join(tmpdir(), 'siphon-packs-'));
afterAll(() => rmSync(folder, { recursive: true }));

const valibot = fileURLToPath(import.meta.resolve('valibot'));

/** The text of a module with a pack. */
function packModule({
  name = 'shop',
  metric = 'shop_orders_open',
  exported = 'export default',
  database = true,
  emitted = 'metric',
  queries = '{ orders: gauge }',
  settings = `settings: v.strictObject({ schema: v.optional(v.string(), 'public'), stale_after: v.optional(v.number(), 60) }),`,
} = {}) {
  return `
    import * as v from ${JSON.stringify(valibot)};
    const metric = { source: 'poller', kind: 'gauge', name: 'shop.orders.open', unit: '{order}', description: '', labels: {} };
    const gauge = { needs: { orders: ['id'] }, metrics: { n: { metric: ${emitted}, merge: 'sum' } }, statement: () => ({ text: 'select 1 as n' }) };
    const database = {
      ${settings}
      names: { gauges: ['orders'], counters: [] },
      create: ({ schema }) => ({ schema, gauges: ${queries}, counters: {} }),
    };
    ${exported} { name: '${name}', metrics: { ${metric}: metric } ${database ? ', database' : ''} };`;
}

/** The text of a module as a compiler turns `export default` or `export const` into CommonJS. */
function compiled(exported: string) {
  const module = packModule({
    name: `compiled_${exported.toLowerCase()}`,
    metric: `${exported}_orders`,
    exported: `exports.${exported} =`,
  });
  return `"use strict";\nObject.defineProperty(exports, "__esModule", { value: true });\n${module.replace(/import \* as v from (.*);/, 'const v = require($1);')}`;
}

beforeAll(() => {
  const files = {
    'shop.mjs': packModule(),
    'named.mjs': packModule({ name: 'named', metric: 'named_orders', exported: 'export const pack =' }),
    'again.mjs': packModule({ metric: 'again_orders' }),
    'same-metric.mjs': packModule({ name: 'other' }),
    'built-in.mjs': packModule({ name: 'postgres_health', metric: 'x' }),
    'no-database.mjs': packModule({ name: 'no_queries', database: false }),
    'only.mjs': packModule({ name: 'only', metric: 'only_orders', exported: 'export const onlyPack =' }),
    'no-settings.mjs': packModule({ name: 'no_settings', metric: 'no_settings_orders', settings: '' }),
    'compiled.cjs': compiled('default'),
    'compiled-named.cjs': compiled('shopPack'),
    'two.mjs': "export const one = { name: 'one', metrics: {} }; export const two = { ...one, name: 'two' };",
    'no-export.mjs': 'export {};',
    'other-export.mjs': 'export const shop = 1; export const store = {};',
    'undescribed.mjs': packModule({ name: 'u', emitted: "{ ...metric, name: 'shop.carts' }" }),
    'different.mjs': packModule({ name: 'd', emitted: "{ ...metric, unit: '{cart}' }" }),
    'sdk.mjs': packModule({ name: 'sdk' }).replace("source: 'poller'", "source: 'sdk'"),
    'unnamed.mjs': packModule({ name: 'n', queries: '{ carts: gauge }' }),
    'uncreated.mjs': packModule({ name: 'c' }).replace(
      'create: (',
      "create: () => { throw new Error('no SQL'); }, was: (",
    ),
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
    ...Object.keys(groups).map((name) => `postgres_health.${name}`),
    'shop.orders',
  ]);
  expect(planned.at(-1)).toMatchObject({
    timeoutMs: 2000,
    timeoutPlace: `packs::${join(folder, 'shop.mjs')}::queries::orders::timeout`,
    pack: { schema: 'sales' },
  });
});

it('accepts a pack that is exported as pack or under another name, one without settings, and TypeScript', async () => {
  const config = await loaded(`./named.mjs:\n${join(folder, 'typed.ts')}: {}\n./only.mjs:\n./no-settings.mjs:`);
  expect(config.packs.map(({ name, settings }) => [name, settings])).toEqual([
    ['named', { schema: 'public', stale_after: 60 }],
    ['typed', { schema: 'public', stale_after: 60 }],
    ['only', { schema: 'public', stale_after: 60 }],
    ['no_settings', {}],
  ]);
});

it('accepts a pack that was compiled to CommonJS, under any name', async () => {
  const config = await loaded('./compiled.cjs:\n./compiled-named.cjs:');
  expect(config.packs.map(({ name }) => name)).toEqual(['compiled_default', 'compiled_shoppack']);
});

const AT = '/c.yaml:6 receivers::db_poller::packs::';

it.each([
  ['a file that does not exist', './missing.mjs:', `${AT}/missing.mjs: file not found, or not readable`],
  ['a module without an export', './no-export.mjs: {}', `${AT}/no-export.mjs: exports nothing: export the pack as default`],
  ['a module that exports something else', './other-export.mjs:', `${AT}/other-export.mjs: does not export a pack: none of shop, store is one; export the pack as default`],
  ['a module with two packs', './two.mjs:', `${AT}/two.mjs: exports several packs: one, two; export one of them as default`],
  ['a query with a metric that the pack does not describe', './undescribed.mjs:', `${AT}/undescribed.mjs: pack u is not consistent: query orders emits shop.carts, which is not one of its metrics`],
  ['a query with a metric that the pack describes differently', './different.mjs:', `${AT}/different.mjs: pack d is not consistent: query orders emits shop.orders.open, but its metrics describe it differently`],
  ['a query with a metric of the service', './sdk.mjs:', `${AT}/sdk.mjs: pack sdk is not consistent: query orders emits shop.orders.open, whose source is sdk and not poller`],
  ['queries with other names', './unnamed.mjs:', `${AT}/unnamed.mjs: pack n is not consistent: query carts is not in its list of names; query orders does not exist`],
  ['a pack that cannot create its queries', './uncreated.mjs:', `${AT}/uncreated.mjs: cannot create the queries of pack c: no SQL`],
  ['a setting of a pack without settings', './no-settings.mjs: {schema: x}', `${AT}/no-settings.mjs::schema: is an unknown key; allowed: queries`],
  ['an export that is not a pack', './no-pack.mjs:', `${AT}/no-pack.mjs: does not export a pack: name must be in snake case; use definePack from siphon-otel/pack`],
  ['a pack without queries', './no-database.mjs:', `${AT}/no-database.mjs: pack no_queries has no queries, so db_poller cannot use it`],
  ['a module that throws', './broken.mjs:', `${AT}/broken.mjs: cannot be imported: out of beans`],
  ['the name of a built-in pack', './built-in.mjs:', `${AT}/built-in.mjs: has the same name as a built-in pack: postgres_health`],
  ['a second pack of the same name', './shop.mjs:\n./again.mjs:', '/c.yaml:7 receivers::db_poller::packs::/again.mjs: has the same name as /shop.mjs: shop'],
  ['a metric of another pack', './shop.mjs:\n./same-metric.mjs:', '/c.yaml:5 receivers::db_poller::packs: /same-metric.mjs and /shop.mjs both publish the metric shop_orders_open'],
  ['an unknown setting', './shop.mjs: {stale_aftr: 1}', `${AT}/shop.mjs::stale_aftr: is an unknown key (did you mean stale_after?); allowed: schema, stale_after, queries`],
  ['a wrong setting', './shop.mjs: {stale_after: soon}', `${AT}/shop.mjs::stale_after: must be a number`],
  ['an unknown query', './shop.mjs: {queries: {carts: {}}}', `${AT}/shop.mjs::queries::carts: must be one of the pack's queries: orders`],
  ['a built-in pack without queries', 'service: {}', '/c.yaml:6 receivers::db_poller::packs::service: has no queries, so db_poller cannot use it; its dashboards need no entry here'],
  ['nothing but a misspelt pack', 'postgres_helth: {}', '/c.yaml:6 receivers::db_poller::packs::postgres_helth: is an unknown key (did you mean postgres_health?); allowed: scrape_pipeline, postgres_health'],
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
