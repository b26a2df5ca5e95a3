import type { Pack, PollQuery, QueryOverride } from '../../pack.ts';
import type { QueriesOf } from '../query-names.ts';
import { coffees, reviewRate, roasters } from './catalogue-state.ts';
import { health } from './health.ts';
import { scrapePipelineIndexes } from './indexes.ts';
import { overdue } from './overdue.ts';
import { lastRuns, runningRuns } from './runs.ts';
import { priceStale, variants } from './variants.ts';

export interface ScrapePipelineSettings {
  readonly schema: string;
  readonly price_stale_after: number;
  readonly health_window: number;
  readonly queries: Readonly<Record<string, QueryOverride>>;
}

/** The state of a price scraper: `roasters`, their `product_sources` and `scrape_runs`, `coffees` and `variants`. */
export function scrapePipelinePack(settings: ScrapePipelineSettings): Pack {
  const queries: QueriesOf<'scrape_pipeline', PollQuery> = {
    runs_running: runningRuns,
    last_runs: lastRuns,
    overdue,
    roasters,
    coffees,
    review_rate: reviewRate,
    variants,
    variants_price_stale: priceStale(settings.price_stale_after / 1000),
    health: health(settings.health_window / 1000),
  };
  return {
    name: 'scrape_pipeline',
    schema: settings.schema,
    queries,
    overrides: settings.queries,
    indexes: scrapePipelineIndexes,
  };
}
