import { scrapePipelineMetrics } from '../database-metrics.ts';
import { metricColumns, type GaugeQuery, type TableColumns } from '../../../components/receivers/db-poller/query.ts';
import type { RoasterLabel } from './roaster-label.ts';

function joined({ columns }: RoasterLabel): TableColumns {
  return { roasters: columns, coffees: ['id', 'roaster_id'] };
}

export const variants = (roaster: RoasterLabel): GaugeQuery => ({
  needs: { ...joined(roaster), variants: ['coffee_id', 'in_stock', 'status'] },
  metrics: metricColumns(scrapePipelineMetrics, { variants: 'sum' }),
  isSlow: true,
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
    isSlow: true,
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
