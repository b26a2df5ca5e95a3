/** Queries of other tools for the same numbers. Each poll counts all rows again. */

/** How this project began. */
export const firstQueries: Readonly<Record<string, string>> = {
  'runs by status': 'select status, count(*) from scrape_runs group by status',
  'artifacts by http_status': 'select http_status, count(*) from scrape_artifacts group by http_status',
  'prices of the last 24 h': "select count(*) from prices where scraped_at > now() - interval '24 hours'",
};

const BY_ROASTER = 'r.slug, r.platform, count(*) as n';
const OF_SOURCE = `join product_sources s on s.id = run.source_id join roasters r on r.id = s.roaster_id`;
const OF_COFFEE = `join roasters r on r.id = c.roaster_id`;

/** The same counters with `sqlquery`. It has no position, so only full counts are correct. */
export const fullCounts: Readonly<Record<string, string>> = {
  'full count of runs': `select ${BY_ROASTER}, run.status from scrape_runs run ${OF_SOURCE} group by r.slug, r.platform, run.status`,
  'full count of artifacts': `
    select ${BY_ROASTER}, a.http_status from scrape_artifacts a join scrape_runs run on run.id = a.run_id ${OF_SOURCE}
    group by r.slug, r.platform, a.http_status`,
  'full count of prices': `
    select ${BY_ROASTER}, p.currency, p.is_sale from prices p join variants v on v.id = p.variant_id
    join coffees c on c.id = v.coffee_id ${OF_COFFEE} group by r.slug, r.platform, p.currency, p.is_sale`,
  'full count of coffees': `select ${BY_ROASTER} from coffees c ${OF_COFFEE} group by r.slug, r.platform`,
  'full count of variants': `
    select ${BY_ROASTER} from variants v join coffees c on c.id = v.coffee_id ${OF_COFFEE} group by r.slug, r.platform`,
};
