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
} from '../../../../dashboards/model/panel.ts';
import { step, window } from '../../../../dashboards/model/variables.ts';
import { max, sum } from '../../../../dashboards/promql/aggregate.ts';
import { priceJobFailures } from '../expressions.ts';
import { increase, latest, mean, quantile } from '../promql.ts';
import { thresholds } from '../../thresholds.ts';
import { jobOutcomes } from '../job-outcomes.ts';
import { toRoaster } from '../variables.ts';

const noJob = unknownWhenEmpty('no price job within the window');

export const jobs: Row = {
  title: 'Price jobs',
  panels: [
    stat({
      title: 'Jobs that failed',
      description: 'Share of the price jobs within the window that failed.',
      queries: [show(priceJobFailures(), 'failed')],
      thresholds: thresholds.price_job_failure_rate,
      empty: noJob,
      width: 4,
      height: 7,
    }),
    bars({
      title: 'Price runs overdue',
      description:
        'Since a price run was due by the roaster\u2019s own cadence and did not succeed; 0 while none is due.',
      queries: [
        show(max(latest('scrape_overdue_seconds', { cadence: 'price' }), ['roaster']), ({ roaster }) => roaster),
      ],
      thresholds: thresholds.overdue_price,
      min: 0,
      empty: unknownWhenEmpty('the database is not polled'),
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
        'Half of the jobs of all roasters, and 95 % of them, took no longer, by what they do. A dot leads to the trace of one.',
      queries: [0.5, 0.95].map((q) =>
        show(
          quantile(q, { name: 'price_job_duration_seconds', window: step, by: ['job_type'] }),
          ({ job_type }) => `${job_type} p${100 * q}`,
        ),
      ),
      min: 0,
      empty: unknownWhenEmpty('no price job within this time'),
      width: 7,
      height: 7,
    }),
    table({
      title: 'Jobs by roaster',
      description:
        'Price jobs of each roaster within the window; the slowest is on top, by the mean duration of its runs in the database.',
      labels: ['roaster'],
      sortBy: 'mean',
      leadsToValue: toRoaster,
      columns: [
        show(sum(increase('price_job_success_total', window), ['roaster']), 'succeeded'),
        show(sum(increase('price_job_failures_total', window), ['roaster']), 'failed'),
        show(mean({ name: 'scrape_run_duration_seconds', window, by: ['roaster'] }), 'mean'),
      ],
      empty: noJob,
      width: 10,
      height: 8,
      leadsTo: 'siphon-roaster',
    }),
    bars({
      title: 'Backlog: stale prices',
      description:
        'Active variants whose price was not checked within the time that the poller\u2019s configuration allows.',
      queries: [show(sum(latest('variants_price_stale'), ['roaster']), ({ roaster }) => roaster)],
      thresholds: thresholds.stale_prices,
      min: 0,
      empty: unknownWhenEmpty('the database is not polled'),
      width: 7,
      height: 8,
      leadsTo: 'siphon-roaster',
    }),
    events({
      title: 'Rate limits and backoff',
      description: 'Answers that asked the pipeline to slow down, by who asked. Each is waited for.',
      queries: [show(sum(increase('rate_limit_errors_total', step), ['service']), ({ service }) => service)],
      thresholds: thresholds.rate_limits,
      empty: healthyWhenEmpty('nobody asked to slow down'),
      width: 7,
      height: 8,
    }),
  ],
};
