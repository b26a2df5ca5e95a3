/** Prints how long each query of the pack takes on 50 k variants and 200 k runs: `node tests/bench/database-poll.ts`. */
import { Secret } from '../../src/collector/config/secret.ts';
import { ReadOnlyPool } from '../../src/postgres/read-only-pool.ts';
import { scrapePipelinePack } from '../../src/receivers/db-poller/packs/scrape-pipeline/pack.ts';
import { startTestPostgres } from '../support/postgres.ts';

const REPETITIONS = 20;

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
const hour = 3_600_000;
const pack = scrapePipelinePack({
  schema: 'public',
  price_stale_after: 192 * hour,
  health_window: 168 * hour,
  queries: {},
});
for (const query of pack.queries) {
  const { text, values = [] } = query.statement({ table: (name) => name, has: () => true });
  const durations: number[] = [];
  for (let i = 0; i < REPETITIONS; i++) {
    const result = await pool.query({ text, values, timeoutMs: 10_000, maxRows: 10_000 });
    durations.push(result.durationMs);
  }
  durations.sort((a, b) => a - b);
  const [median, worst] = [durations[REPETITIONS / 2] ?? NaN, durations.at(-1) ?? NaN];
  process.stdout.write(`${query.name.padEnd(22)} median ${median.toFixed(1)} ms, worst ${worst.toFixed(1)} ms\n`);
}
await pool.close();
