import type { Logger } from 'pino';
import { recordPriceSpike, runOperation } from 'siphon-otel/pipeline';
import type { PooledDatabase } from './database.ts';
import { isSpike, type RecordedPrice } from './price-change.ts';
import type { ProductSource } from './product-source.ts';

export interface PriceFindings {
  readonly spikes: readonly RecordedPrice[];
  /** Active variants whose price was not checked for a day. */
  readonly stalledCount: number;
}

/** B.3: finds spikes among the recorded prices, and counts variants whose price is no longer checked. */
export async function monitorPrices(
  { database, logger }: { readonly database: PooledDatabase; readonly logger: Logger },
  source: ProductSource,
  recorded: readonly RecordedPrice[],
): Promise<PriceFindings> {
  return await runOperation('B.3', { source: source.slug }, async (span) => {
    const spikes = recorded.filter((price) => isSpike(price, source.alertPriceDeltaPercent));
    for (const { currency } of spikes) recordPriceSpike({ roaster: source.slug, currency });
    if (spikes.length > 0)
      logger.warn({ source: source.slug, count: spikes.length, first: spikes[0] }, 'Prices jumped');
    const rows = await database.query<{ count: number }>(
      { query_type: 'select', table: 'variants' },
      `select count(*)::int as count from variants v join coffees c on c.id = v.coffee_id
       where c.roaster_id = $1 and v.status = 'active' and v.price_last_checked_at < now() - interval '1 day'`,
      [source.roasterId],
    );
    const stalledCount = rows[0]?.count ?? 0;
    span.setAttributes({ 'pipeline.price_spikes': spikes.length, 'pipeline.stalled_prices': stalledCount });
    return { spikes, stalledCount };
  });
}
