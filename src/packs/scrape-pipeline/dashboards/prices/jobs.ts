import {
  bars,
  events,
  healthyWhenEmpty,
  lines,
  type Row,
  show,
  stat,
  table,
  unknownWhenEmpty,
  unknownWithoutPack,
} from '../../../../dashboards/model/panel.ts';
import { roomAbove } from '../../../../dashboards/threshold.ts';
import { range, step } from '../../../../dashboards/model/variables.ts';
import { sum } from '../../../../dashboards/promql/aggregate.ts';
import { partOf } from '../../../../dashboards/promql/arithmetic.ts';
import { overdue, priceJobFailures, stalePrices } from '../expressions.ts';
import { increase, mean } from '../promql.ts';
import { thresholds } from '../../thresholds.ts';
import { jobOutcomes } from '../job-outcomes.ts';
import { toRoaster } from '../variables.ts';

const succeeded = sum(increase('price_job_success_total', range), ['roaster']);
const failed = sum(increase('price_job_failures_total', range), ['roaster']);

const noJob = unknownWhenEmpty('no price job in this time range');

export const jobs: Row = {
  title: 'Price jobs',
  panels: [
    stat({
      title: 'Jobs that failed',
      description: 'Share of the price jobs within the time range that failed.',
      queries: [show(priceJobFailures(), 'failed')],
      thresholds: thresholds.price_job_failure_rate,
      empty: noJob,
      width: 4,
      height: 7,
    }),
    bars({
      title: 'Price runs overdue',
      description:
        'Time since a price run was due according to the roaster\u2019s cadence and has not succeeded; 0 if no run is overdue.',
      queries: [show(overdue('price'), ({ roaster }) => roaster)],
      thresholds: thresholds.overdue_price,
      min: 0,
      max: roomAbove(thresholds.overdue_price.critical),
      empty: unknownWithoutPack('scrape_pipeline', 'SELECT on its tables'),
      width: 6,
      height: 7,
      leadsTo: 'siphon-roaster',
    }),
    events({
      title: 'Jobs by outcome',
      ...jobOutcomes,
      empty: noJob,
      width: 7,
      height: 7,
      leadsTo: 'siphon-roaster',
    }),
    lines({
      title: 'Duration of a job',
      description:
        'Mean duration of the jobs of all roasters within each step, by type of job. A dot links to the trace of a job.',
      queries: [
        show(
          mean({ name: 'price_job_duration_seconds', window: step, by: ['job_type'] }),
          ({ job_type }) => `mean ${job_type}`,
        ),
      ],
      min: 0,
      empty: unknownWhenEmpty('no price job in this time range'),
      width: 7,
      height: 7,
    }),
    table({
      title: 'Jobs by roaster',
      description:
        'Price jobs of each roaster within the time range. The roaster with the longest mean run in the database comes first.',
      labels: ['roaster'],
      sortBy: 'mean',
      leadsToValue: toRoaster,
      columns: [
        show(partOf(succeeded, failed), 'succeeded'),
        show(partOf(failed, succeeded), 'failed'),
        show(mean({ name: 'scrape_run_duration_seconds', window: range, by: ['roaster'] }), 'mean'),
      ],
      empty: noJob,
      width: 10,
      height: 8,
      leadsTo: 'siphon-roaster',
    }),
    bars({
      title: 'Backlog: stale prices',
      description: 'Share of the active variants whose price was not checked within the configured price_stale_after.',
      queries: [show(stalePrices(), ({ roaster }) => roaster)],
      thresholds: thresholds.stale_prices,
      min: 0,
      max: 1,
      empty: unknownWithoutPack('scrape_pipeline', 'SELECT on its tables'),
      width: 7,
      height: 8,
      leadsTo: 'siphon-roaster',
    }),
    events({
      title: 'Rate limits and backoff',
      description: 'Responses that asked the pipeline to slow down, by service. The pipeline waits after each.',
      queries: [show(sum(increase('rate_limit_errors_total', step), ['service']), ({ service }) => service)],
      thresholds: thresholds.rate_limits,
      empty: healthyWhenEmpty('no rate limit was hit'),
      width: 7,
      height: 8,
    }),
  ],
};
