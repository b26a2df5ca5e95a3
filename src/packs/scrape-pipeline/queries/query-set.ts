import type { QuerySet } from '../../../components/receivers/db-poller/query.ts';
import { coffees, reviewRate, roasters } from './coffees.ts';
import { countedArtifacts } from './counted-artifacts.ts';
import { countedCoffees, countedVariants } from './counted-coffees.ts';
import { countedPrices } from './counted-prices.ts';
import { countedRuns } from './counted-runs.ts';
import { health } from './health.ts';
import { scrapePipelineIndexes } from './indexes.ts';
import { overdue } from './overdue.ts';
import { labelledBy } from './roaster-label.ts';
import { lastRuns, runningRuns } from './runs.ts';
import type { CounterName, GaugeName, ScrapePipelineSettings } from './settings.ts';
import { lastRunSeen, priceStale, variants } from './variants.ts';

/** The state of a price scraper: `roasters`, their `product_sources` and `scrape_runs`, `coffees` and `variants`. */
export function scrapePipelineQueries(settings: ScrapePipelineSettings): QuerySet<GaugeName, CounterName> {
  const roaster = labelledBy(settings.roaster_label);
  const staleAfterSeconds = settings.price_stale_after / 1000;
  return {
    schema: settings.schema,
    gauges: {
      runs_running: runningRuns(roaster),
      last_runs: lastRuns(roaster),
      overdue: overdue(roaster, settings.cadence_timezone),
      roasters,
      coffees: coffees(roaster),
      review_rate: reviewRate(roaster),
      variants: variants(roaster),
      variants_price_stale: priceStale(staleAfterSeconds, roaster),
      last_run_seen: lastRunSeen(roaster),
      health: health(
        { windowSeconds: settings.health_window / 1000, staleAfterSeconds, timezone: settings.cadence_timezone },
        roaster,
      ),
    },
    counters: {
      runs: countedRuns(roaster),
      artifacts: countedArtifacts(roaster),
      prices: countedPrices(roaster, settings.batch_rows),
      coffees_created: countedCoffees(roaster),
      variants_created: countedVariants(roaster),
    },
    indexes: scrapePipelineIndexes,
  };
}
