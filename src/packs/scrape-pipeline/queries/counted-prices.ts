import { scrapePipelineMetrics } from '../database-metrics.ts';
import { boundByColumn, type CounterQuery } from '../../../components/receivers/db-poller/query.ts';
import { isHidden, references, type RoasterLabel } from './roaster-label.ts';

const HOUR_MS = 3_600_000;

/**
 * The previous price is the latest earlier one of the same variant and currency that exists when a price is counted. The
 * currency is compared in a way that makes the planner expect a match for nearly all rows. Otherwise, with poor
 * statistics, it would read and sort all prices of the variant for each of its prices.
 */
export function countedPrices(roaster: RoasterLabel, batchRows: number): CounterQuery {
  return {
    needs: {
      prices: ['id', 'variant_id', 'price', 'currency', 'is_sale', 'scraped_at'],
      variants: ['id', 'coffee_id'],
      coffees: ['id', 'roaster_id'],
      roasters: roaster.columns,
    },
    table: 'prices',
    key: ['id'],
    columns: ['variant_id', 'price', 'currency', 'is_sale', 'scraped_at'],
    batchRows,
    bound: boundByColumn('scraped_at', HOUR_MS),
    details: (schema) => ({
      select: `
        ${roaster.select}, entry.currency, entry.is_sale,
        case when previous.price is null then 'first' when entry.price > previous.price then 'increase'
             when entry.price < previous.price then 'decrease' else 'unchanged' end as change_type,
        case when entry.price <> previous.price then (entry.price / nullif(previous.price, 0))::float8 end as ratio`,
      joins: `
        left join lateral (
          select price from ${schema.table('prices')} earlier
          where earlier.variant_id = entry.variant_id and earlier.scraped_at < entry.scraped_at
            and (case when earlier.currency = entry.currency then true end) is not null
          order by earlier.scraped_at desc limit 1) previous on true
        left join ${schema.table('variants')} variant on variant.id = entry.variant_id
        left join ${schema.table('coffees')} coffee on coffee.id = variant.coffee_id
        left join ${schema.table('roasters')} roaster on roaster.id = coffee.roaster_id`,
      hidden: isHidden(schema, [
        { from: 'entry.variant_id', to: 'variant.id', table: 'variants' },
        { from: 'variant.coffee_id', to: 'coffee.id', table: 'coffees' },
        references.coffee,
      ]),
    }),
    // Otherwise the first change of a price would begin a series, and no panel would count it.
    knownBy: ['roaster', 'platform', 'currency'],
    metrics: [
      { metric: scrapePipelineMetrics.prices_recorded_total, fromZero: true },
      { metric: scrapePipelineMetrics.price_deltas_total, fromZero: true },
      { metric: scrapePipelineMetrics.price_change_ratio, value: 'ratio', fromZero: true },
    ],
    meaning: roaster.meaning,
  };
}
