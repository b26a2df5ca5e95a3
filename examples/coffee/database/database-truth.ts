import { withClient } from '../../postgres/with-client.ts';

/** Numbers from the database, for comparison with the scrape endpoint. */
export interface DatabaseTruth {
  readonly artifacts: number;
  readonly prices: number;
  /** Prices that differ from the previous price of the same variant. */
  readonly changes: number;
  /** Changes above the alert threshold of the roaster. */
  readonly spikes: number;
  readonly runs: number;
  readonly coffees: number;
  readonly variants: number;
  readonly reviewRates: readonly { readonly slug: string; readonly percent: number }[];
}

export async function askDatabase(databaseUrl: string): Promise<DatabaseTruth> {
  return await withClient(databaseUrl, async (client) => {
    const counts = await client.query<Omit<DatabaseTruth, 'reviewRates'>>(
      `with moves as (
         select p.price, lag(p.price) over (partition by p.variant_id order by p.scraped_at) as previous,
                r.alert_price_delta_pct as threshold
         from prices p join variants v on v.id = p.variant_id join coffees c on c.id = v.coffee_id
         join roasters r on r.id = c.roaster_id
       )
       select (select count(*) from scrape_artifacts)::int as artifacts, count(*)::int as prices,
              (count(*) filter (where price <> previous))::int as changes,
              (count(*) filter (where abs(price - previous) * 100 > previous * threshold))::int as spikes,
              (select count(*) from scrape_runs)::int as runs, (select count(*) from coffees)::int as coffees,
              (select count(*) from variants)::int as variants
       from moves`,
    );
    const rates = await client.query<DatabaseTruth['reviewRates'][number]>(
      `select r.slug, (100.0 * count(*) filter (where c.processing_status = 'review') / count(*))::float8 as percent
       from coffees c join roasters r on r.id = c.roaster_id where c.processing_status is not null group by r.slug`,
    );
    return { ...counts.rows[0]!, reviewRates: rates.rows };
  });
}
