import * as v from 'valibot';
import { expect, it } from 'vitest';
import { packs as builtInPacks } from '../../../packs/index.ts';
import { scrapePipelineDatabase } from '../../../packs/scrape-pipeline/database.ts';
import { dbPollerConfig } from './config.ts';

const configSchema = dbPollerConfig(builtInPacks);
const datasource = 'postgresql://siphon:s3cret@db.example:5432/coffee';
const packs = { scrape_pipeline: {} };

it.each([
  ['no datasource', { packs }, 'datasource', /./],
  ['a datasource that is not text', { datasource: null, packs }, 'datasource', /must be text such as/],
  ['a keyword that libpq does not have', { datasource: 'host=db pass=s3cret', packs }, 'datasource', /has a keyword that is not one of host, port/], // prettier-ignore
  ['neither a URL nor keywords', { datasource: 'db s3cret', packs }, 'datasource', /must be a URL.*or keywords/],
  ['neither packs nor queries', { datasource }, 'packs', /at least one pack.*queries of your own/],
  ['an empty set of packs', { datasource, packs: {} }, 'packs', /at least one pack/],
  ['an unknown pack', { datasource, packs: { scraper: {} } }, 'packs.scraper', /./],
  [
    'an unknown key of a pack',
    { datasource, packs: { scrape_pipeline: { tables: 1 } } },
    'packs.scrape_pipeline.tables',
    /./,
  ],
  [
    'an unknown query',
    { datasource, packs: queriesOf({ variant: {} }) },
    'packs.scrape_pipeline.queries.variant',
    /must be one of .*variants/,
  ],
  [
    'an unknown key of a query',
    { datasource, packs: queriesOf({ variants: { every: '1s' } }) },
    'packs.scrape_pipeline.queries.variants.every',
    /./,
  ],
  [
    'a table without its schema',
    { datasource, packs: { postgres_health: { tables: ['public.prices', 'prices'] } } },
    'packs.postgres_health.tables.1',
    /must be schema.table/,
  ],
  [
    'more tables than there is room for',
    { datasource, packs: { postgres_health: { tables: Array.from({ length: 51 }, (_, n) => `public.t${n}`) } } },
    'packs.postgres_health.tables',
    /at most 50/,
  ],
  ['no interval', { datasource, packs, collection_interval: '0s' }, 'collection_interval', /./],
  ['too many connections', { datasource, packs, max_connections: 11 }, 'max_connections', /at most 10/],
])('refuses %s', async (_, config, path, message) => {
  const issues = (await v.safeParseAsync(configSchema, config)).issues ?? [];
  expect(issues.map((issue) => v.getDotPath(issue))).toEqual([path]);
  expect(issues[0]?.message).toMatch(message);
  expect(issues[0]?.message).not.toContain('s3cret');
});

it('reads every query with an interval and a timeout of its own', async () => {
  const own = { collection_interval: '1m', timeout: '2s' };
  const all = Object.fromEntries(scrapePipelineDatabase.names.gauges.map((name) => [name, own]));
  const { packs: parsed } = await v.parseAsync(configSchema, { datasource, packs: queriesOf(all) });
  expect(parsed[0]?.overrides['health']).toEqual({ collection_interval: 60_000, timeout: 2000 });
});

it('switches a pack on by its name alone', async () => {
  const { packs: parsed } = await v.parseAsync(configSchema, { datasource, packs: { postgres_health: null } });
  expect(parsed).toMatchObject([{ name: 'postgres_health', settings: { tables: [] }, overrides: {} }]);
});

it('takes an empty datasource, which switches the poller off', async () => {
  expect((await v.parseAsync(configSchema, { datasource: '', packs })).datasource.isEmpty).toBe(true);
});

function queriesOf(queries: Record<string, unknown>): unknown {
  return { scrape_pipeline: { queries } };
}
