import type { Pack, PollQuery, QueryOverride } from '../../components/receivers/db-poller/query.ts';
import type { ExactQuery } from '../../components/receivers/db-poller/exact-query.ts';
import type { ExactQueriesOf, QueriesOf } from '../../components/receivers/db-poller/plan/query-names.ts';
import { coffees, reviewRate, roasters } from './queries/catalogue-state.ts';
import { health } from './queries/health.ts';
import { scrapePipelineIndexes } from './queries/indexes.ts';
import { countedArtifacts } from './queries/counted-artifacts.ts';
import { countedCoffees, countedVariants } from './queries/counted-catalogue.ts';
import { countedPrices } from './queries/counted-prices.ts';
import { countedRuns } from './queries/counted-runs.ts';
import { labelledBy, type RoasterColumn } from './queries/roaster-label.ts';
import { overdue } from './queries/overdue.ts';
import { lastRuns, runningRuns } from './queries/runs.ts';
import { priceStale, variants } from './queries/variants.ts';

export interface ScrapePipelineSettings {
  readonly schema: string;
  readonly price_stale_after: number;
  readonly health_window: number;
  readonly roaster_label: RoasterColumn;
  readonly batch_rows: number;
  readonly queries: Readonly<Record<string, QueryOverride>>;
}

/** The state of a price scraper: `roasters`, their `product_sources` and `scrape_runs`, `coffees` and `variants`. */
export function scrapePipelinePack(settings: ScrapePipelineSettings): Pack {
  const roaster = labelledBy(settings.roaster_label);
  const queries: QueriesOf<'scrape_pipeline', PollQuery> = {
    runs_running: runningRuns(roaster),
    last_runs: lastRuns(roaster),
    overdue: overdue(roaster),
    roasters,
    coffees: coffees(roaster),
    review_rate: reviewRate(roaster),
    variants: variants(roaster),
    variants_price_stale: priceStale(settings.price_stale_after / 1000, roaster),
    health: health(settings.health_window / 1000, roaster),
  };
  const exactQueries: ExactQueriesOf<'scrape_pipeline', ExactQuery> = {
    runs: countedRuns(roaster),
    artifacts: countedArtifacts(roaster),
    prices: countedPrices(roaster, settings.batch_rows),
    coffees_created: countedCoffees(roaster),
    variants_created: countedVariants(roaster),
  };
  return {
    name: 'scrape_pipeline',
    schema: settings.schema,
    queries,
    exactQueries,
    overrides: settings.queries,
    indexes: scrapePipelineIndexes,
  };
}
