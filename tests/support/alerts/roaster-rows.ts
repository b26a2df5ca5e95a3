/** Rows of roasters that the pipeline does not scrape, for faults of their data. */
import type { FaultEnvironment } from './fault-environment.ts';

export function sourceOf(roaster: string): string {
  return `(select s.id from product_sources s join roasters r on r.id = s.roaster_id where r.slug = '${roaster}')`;
}

interface Run {
  readonly startedAgo: string;
  /** It has not ended without one. */
  readonly status?: 'ok' | 'partial' | 'fail';
  readonly times?: number;
}

/** Adds a roaster that the pipeline does not scrape. */
export async function addRoaster(world: FaultEnvironment, slug: string): Promise<void> {
  await world.sql(
    `with roaster as (
       insert into roasters (slug, name, platform, created_at) values ($1, $1, 'custom', now() - interval '40 days')
       on conflict (slug) do nothing returning id
     )
     insert into product_sources (roaster_id, base_url, platform, products_endpoint)
     select id, 'http://127.0.0.1', 'custom', '/' from roaster`,
    [slug],
  );
}

/** Adds a roaster with twenty active variants in stock, whose prices were just checked. */
export async function addVariants(world: FaultEnvironment, slug: string): Promise<void> {
  await addRoaster(world, slug);
  await world.sql(
    `with coffee as (
       insert into coffees (roaster_id, name, slug, processing_status)
       select id, slug, slug, 'ok' from roasters where slug = $1 returning id
     )
     insert into variants (coffee_id, platform_variant_id, currency, in_stock, last_seen_at, price_last_checked_at)
     select id, $1 || '-' || number, 'INR', true, now(), now() from coffee, generate_series(1, 20) number`,
    [slug],
  );
}

export async function addRun(
  world: FaultEnvironment,
  roaster: string,
  { startedAgo, status, times = 1 }: Run,
): Promise<void> {
  await addRoaster(world, roaster);
  await world.sql(
    `insert into scrape_runs (source_id, started_at, finished_at, status)
     select ${sourceOf(roaster)}, now() - $1::interval - interval '1 second' * number,
            case when $2::run_status_enum is null then null else now() end, $2
     from generate_series(1, $3) number`,
    [startedAgo, status, times],
  );
}

/** Its runs have failed for days, its last success is out of sight, and everything that it sells waits for review. */
export async function neglect(world: FaultEnvironment): Promise<void> {
  await addRun(world, 'neglected', { startedAgo: '5 days', status: 'fail', times: 5000 });
  await world.sql(`
    update roasters set price_cadence = '0 4 * * 0', full_cadence = '0 3 1 * *' where slug = 'neglected';
    insert into coffees (roaster_id, name, slug, processing_status)
    select id, 'coffee ' || number, 'coffee-' || number, 'review' from roasters, generate_series(1, 300) number
    where slug = 'neglected'`);
}

export async function takeCare(world: FaultEnvironment): Promise<void> {
  await world.sql(`
    delete from scrape_runs where source_id = ${sourceOf('neglected')};
    update coffees set processing_status = 'ok' where roaster_id = (select id from roasters where slug = 'neglected')`);
  await addRun(world, 'neglected', { startedAgo: '1 second', status: 'ok' });
}
