import { scrapePipelineMetrics } from '../database-metrics.ts';
import { metricColumns, type GaugeQuery, type TableColumns } from '../../../components/receivers/db-poller/query.ts';
import { latestRuns, withStatus } from './latest-runs.ts';
import type { RoasterLabel } from './roaster-label.ts';

function joined({ columns }: RoasterLabel): TableColumns {
  return { roasters: columns, coffees: ['id', 'roaster_id'] };
}

export const variants = (roaster: RoasterLabel): GaugeQuery => ({
  needs: { ...joined(roaster), variants: ['coffee_id', 'in_stock', 'status'] },
  metrics: metricColumns(scrapePipelineMetrics, { variants: 'sum' }),
  pace: 'slow',
  statement: ({ table }) => ({
    text: `
      select ${roaster.select}, v.in_stock, v.status, v.variants
      from (select c.roaster_id, v.in_stock, v.status, count(*) as variants
            from ${table('variants')} v left join ${table('coffees')} c on c.id = v.coffee_id
            group by c.roaster_id, v.in_stock, v.status) v
      left join ${table('roasters')} roaster on roaster.id = v.roaster_id`,
  }),
});

/** A price that was never checked is stale too. */
export function priceStale(staleAfterSeconds: number, roaster: RoasterLabel): GaugeQuery {
  return {
    needs: { ...joined(roaster), variants: ['coffee_id', 'status', 'price_last_checked_at'] },
    metrics: metricColumns(scrapePipelineMetrics, { variants_price_stale: 'sum' }),
    pace: 'slow',
    statement: ({ table }) => ({
      text: `
        select ${roaster.select}, v.variants_price_stale
        from (select c.roaster_id, count(*) filter (
                where coalesce(v.price_last_checked_at, '-infinity') < now() - make_interval(secs => $1)
              ) as variants_price_stale
              from ${table('variants')} v left join ${table('coffees')} c on c.id = v.coffee_id
              where v.status::text = 'active'
              group by c.roaster_id) v
        left join ${table('roasters')} roaster on roaster.id = v.roaster_id`,
      values: [staleAfterSeconds],
    }),
  };
}

/**
 * Compares the catalogue with what the last run found, because an empty list, half of a catalogue, and writes that a
 * database discards all end `ok`. Each source of a roaster has a last run; variants count since the earliest.
 */
export const lastRunSeen = (roaster: RoasterLabel): GaugeQuery => ({
  needs: {
    ...joined(roaster),
    product_sources: ['id', 'roaster_id'],
    scrape_runs: ['source_id', 'status', 'started_at', 'finished_at'],
    variants: ['coffee_id', 'status', 'last_seen_at', 'price_last_checked_at'],
  },
  metrics: metricColumns(scrapePipelineMetrics, { scrape_last_run_seen_ratio: 'max' }),
  pace: 'slow',
  statement: (schema) => ({
    text: `
      select ${roaster.select}, v.seen / v.active::float8 as scrape_last_run_seen_ratio
      from (select c.roaster_id, count(*) as active,
                   count(*) filter (where greatest(v.last_seen_at, v.price_last_checked_at) >= last.started_at) as seen
            from (select s.roaster_id, min(run.started_at) as started_at
                  from (select source_id, max(started_at) as started_at
                        from (${latestRuns(schema, GATHERED)}) run group by source_id) run
                  join ${schema.table('product_sources')} s on s.id = run.source_id
                  group by s.roaster_id) last
            join ${schema.table('coffees')} c on c.roaster_id = last.roaster_id
            join ${schema.table('variants')} v on v.coffee_id = c.id
            where v.status::text = 'active'
            group by c.roaster_id) v
      join ${schema.table('roasters')} roaster on roaster.id = v.roaster_id`,
  }),
});

/** A failed run may have stopped before it saw anything. */
const GATHERED = withStatus(['ok', 'partial']);
