import type { Pack, QueryOverride } from '../../pack.ts';
import { coffees, reviewRate, roasters } from './catalogue-state.ts';
import { health } from './health.ts';
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
  const staleSeconds = settings.price_stale_after / 1000;
  const windowSeconds = settings.health_window / 1000;
  return {
    name: 'scrape_pipeline',
    schema: settings.schema,
    queries: [
      runningRuns,
      lastRuns,
      overdue,
      roasters,
      coffees,
      reviewRate,
      variants,
      priceStale(staleSeconds),
      health(windowSeconds),
    ],
    overrides: settings.queries,
  };
}
