/**
 * Prints how long each query of both packs takes on 50 k variants and 200 k runs, with the indexes that siphon
 * asks for and without them: `node tests/bench/database-poll.ts`.
 */
import { Secret } from '../../src/collector/config/secret.ts';
import { ReadOnlyPool } from '../../src/postgres/read-only-pool.ts';
import type { Pack } from '../../src/receivers/db-poller/pack.ts';
import { postgresHealthPack } from '../../src/receivers/db-poller/packs/postgres-health/pack.ts';
import { scrapePipelinePack } from '../../src/receivers/db-poller/packs/scrape-pipeline/pack.ts';
import { SchemaProbe } from '../../src/receivers/db-poller/schema-probe.ts';
import { startTestPostgres } from '../support/postgres.ts';

const REPETITIONS = 100;
const hour = 3_600_000;

await using database = await startTestPostgres();
await database.sql(`
  insert into roasters (name, slug, platform, full_cadence, price_cadence)
  select 'r', 'r' || n, 'shopify', '0 3 1 * *', '0 4 * * 0' from generate_series(1, 50) n;
  insert into product_sources (roaster_id, base_url, platform, products_endpoint) select id, 'u', platform, 'p' from roasters;
  insert into scrape_runs (source_id, started_at, finished_at, status, stats_json)
  select s.id, now() - n * interval '1 hour', now() - n * interval '1 hour', 'ok', '{"job_type": "price_only", "artifacts": 10}'
  from product_sources s, generate_series(1, 4000) n;
  insert into coffees (roaster_id, name, slug, processing_status) select id, 'c', 'c' || n, 'ok' from roasters, generate_series(1, 200) n;
  insert into variants (coffee_id, platform_variant_id, currency, in_stock, price_last_checked_at)
  select id, n::text, 'INR', n > 1, now() from coffees, generate_series(1, 5) n;
  analyze`);

const pool = new ReadOnlyPool({
  datasource: new Secret(database.url),
  maxConnections: 1,
  connectTimeoutMs: 5000,
  lockTimeoutMs: 1000,
  onConnect: () => undefined,
});
const scrapePipeline = scrapePipelinePack({
  schema: 'public',
  price_stale_after: 192 * hour,
  health_window: 168 * hour,
  roaster_label: 'slug',
  batch_rows: 2000,
  queries: {},
});

await measure('with the indexes', [
  scrapePipeline,
  postgresHealthPack({ tables: ['public.scrape_runs', 'public.variants'], queries: {} }),
]);
await database.sql(`
  do $$ declare index record; begin
    for index in select indexname from pg_indexes where tablename = 'scrape_runs' and indexname <> 'scrape_runs_pkey'
    loop execute format('drop index %I', index.indexname); end loop;
  end $$`);
await measure('without them', [scrapePipeline]);
await pool.close();

async function measure(title: string, packs: readonly Pack[]): Promise<void> {
  process.stdout.write(`\n${title.padEnd(40)}${['p50', 'p95', 'max'].map((name) => name.padStart(9)).join('')} ms\n`);
  for (const pack of packs) {
    const probed = { ...pack, schema: pack.schema ?? 'public' };
    const schema = await new SchemaProbe(pool, probed, { timeoutMs: 5000, retryMs: 0 }, () => undefined).schema();
    for (const [name, query] of Object.entries(pack.queries)) {
      const { text, values = [] } = query.statement(schema);
      const durations: number[] = [];
      for (let i = 0; i < REPETITIONS; i++) {
        const { rows, durationMs } = await pool.query({ text, values, timeoutMs: 10_000, maxRows: 10_000 });
        durations.push(durationMs);
        query.derive?.(rows, () => undefined);
      }
      report(`${pack.name}.${name}`, durations);
    }
  }
}

function report(name: string, durations: readonly number[]): void {
  const sorted = durations.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.ceil(share * sorted.length) - 1] ?? NaN).toFixed(1).padStart(9);
  process.stdout.write(`${name.padEnd(40)}${at(0.5)}${at(0.95)}${at(1)}\n`);
}
