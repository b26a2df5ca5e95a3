import {
  bars,
  events,
  healthyWhenEmpty,
  type Row,
  show,
  table,
  unknownWhenEmpty,
  unknownWithoutPack,
} from '../../../../dashboards/model/panel.ts';
import { step } from '../../../../dashboards/model/variables.ts';
import { sum } from '../../../../dashboards/promql/aggregate.ts';
import {
  artifactErrors,
  fetchErrors,
  inStock,
  seenVariants,
  stalePrices,
  lastSuccessAge,
  overdue,
  reviewRate,
  runSuccess,
} from '../expressions.ts';
import { increase, latest } from '../promql.ts';
import { thresholds } from '../../thresholds.ts';
import { statusTones } from '../tones.ts';
import { toRoaster } from '../variables.ts';

const notPolled = unknownWithoutPack('scrape_pipeline', 'SELECT on its tables');

/** A comparison of the chosen roasters. */
export const allRoasters: Row = {
  title: 'The chosen roasters',
  panels: [
    table({
      title: 'Side by side',
      description:
        'The most important numbers of each roaster. The roaster with the oldest successful run comes first.',
      labels: ['roaster'],
      sortBy: 'last success',
      leadsToValue: toRoaster,
      columns: [
        show(lastSuccessAge(), 'last success'),
        { ...show(overdue('price'), 'price run overdue'), thresholds: thresholds.overdue_price },
        { ...show(overdue('full'), 'full run overdue'), thresholds: thresholds.overdue_full },
        { ...show(runSuccess(['roaster']), 'succeeded'), thresholds: thresholds.run_success },
        { ...show(artifactErrors(['roaster']), 'failed artifacts'), thresholds: thresholds.artifact_error_rate },
        { ...show(reviewRate(), 'review rate'), thresholds: thresholds.review_rate },
        { ...show(inStock(['roaster']), 'in stock'), thresholds: thresholds.in_stock },
        { ...show(stalePrices(), 'stale prices'), thresholds: thresholds.stale_prices },
        { ...show(seenVariants(), 'seen by the last run'), thresholds: thresholds.seen_variants },
      ],
      empty: notPolled,
      width: 24,
      height: 9,
    }),
    events({
      title: 'All runs by status',
      description: 'Completed runs of the chosen roasters, by status.',
      queries: [show(sum(increase('scrape_runs_finished_total', step), ['status']), ({ status }) => status)],
      tones: statusTones,
      empty: notPolled,
      width: 10,
      height: 8,
    }),
    bars({
      title: 'Failing requests',
      description: 'Share of the requests to each shop within the time range that got no usable response.',
      queries: [show(fetchErrors(['source']), ({ source }) => source)],
      thresholds: thresholds.fetch_error_rate,
      min: 0,
      max: 1,
      empty: unknownWhenEmpty('no request in this time range'),
      width: 7,
      height: 8,
    }),
    bars({
      title: 'Running runs',
      description: 'Runs that have started and not finished.',
      queries: [show(sum(latest('scrape_runs_running'), ['roaster']), ({ roaster }) => roaster)],
      min: 0,
      empty: notPolled,
      width: 7,
      height: 8,
    }),
    events({
      title: 'Requests to slow down',
      description: 'Responses such as 429 and 503, by service. The pipeline sends requests too fast.',
      queries: [show(sum(increase('rate_limit_errors_total', step), ['service']), ({ service }) => service)],
      empty: healthyWhenEmpty('no rate limit was hit'),
      width: 24,
      height: 7,
      leadsTo: 'siphon-prices',
    }),
  ],
};
