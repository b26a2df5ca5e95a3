import {
  areas,
  events,
  healthyWhenEmpty,
  lines,
  type Row,
  show,
  stat,
  unknownWhenEmpty,
  unknownWithoutPack,
} from '../../../../dashboards/model/panel.ts';
import { step } from '../../../../dashboards/model/variables.ts';
import { max, sum } from '../../../../dashboards/promql/aggregate.ts';
import { age } from '../../../../dashboards/promql/arithmetic.ts';
import { artifactErrors, inStock, runSuccess } from '../expressions.ts';
import { increase, latest, mean, shareAbove } from '../promql.ts';
import { thresholds } from '../../thresholds.ts';
import { jobOutcomes } from '../job-outcomes.ts';
import { httpTones, statusTones } from '../tones.ts';

const notPolled = unknownWithoutPack('scrape_pipeline', 'SELECT on its tables');

/** Everything about one roaster. */
export const oneRoaster: Row = {
  title: '$roaster',
  repeatFor: 'roaster',
  panels: [
    stat({
      title: 'Price run overdue',
      description:
        'Time since a price run was due according to the roaster\u2019s cadence and has not succeeded; 0 if no run is overdue.',
      queries: [show(max(latest('scrape_overdue_seconds', { cadence: 'price' })), 'overdue')],
      thresholds: thresholds.overdue_price,
      empty: unknownWhenEmpty('no cadence'),
      width: 4,
      height: 5,
      leadsTo: 'siphon-prices',
    }),
    stat({
      title: 'Full run overdue',
      description:
        'Time since a full run was due according to the roaster\u2019s cadence and has not succeeded; 0 if no run is overdue.',
      queries: [show(max(latest('scrape_overdue_seconds', { cadence: 'full' })), 'overdue')],
      thresholds: thresholds.overdue_full,
      empty: unknownWhenEmpty('no cadence'),
      width: 4,
      height: 5,
    }),
    stat({
      title: 'Last runs',
      description: 'Time since the last run with each status.',
      queries: [show(age(max(latest('scrape_last_run_timestamp_seconds'), ['status'])), ({ status }) => status)],
      empty: unknownWhenEmpty('no run has finished'),
      width: 5,
      height: 5,
    }),
    stat({
      title: 'Succeeded',
      description: 'Share of the runs that finished within the time range with the status ok.',
      queries: [show(runSuccess(), 'succeeded')],
      thresholds: thresholds.run_success,
      empty: unknownWhenEmpty('no run in this time range'),
      width: 4,
      height: 5,
    }),
    stat({
      title: 'Failed artifacts',
      description: 'Share of the artifacts within the time range whose HTTP status is neither 200 nor 304.',
      queries: [show(artifactErrors(), 'failed')],
      thresholds: thresholds.artifact_error_rate,
      empty: unknownWhenEmpty('no artifact in this time range'),
      width: 4,
      height: 5,
    }),
    stat({
      title: 'In stock now',
      description: 'Share of the active variants that are in stock.',
      queries: [show(inStock(), 'in stock')],
      empty: notPolled,
      width: 3,
      height: 5,
    }),
    events({
      title: 'Runs',
      description: 'Completed runs, by status.',
      queries: [show(sum(increase('scrape_runs_finished_total', step), ['status']), ({ status }) => status)],
      tones: statusTones,
      empty: notPolled,
      width: 8,
      height: 7,
    }),
    lines({
      title: 'Duration of runs',
      description:
        'Mean duration of the runs within each step, by status, measured with the clock of the database. Runs are rare, so this is usually a single run.',
      queries: [
        show(mean({ name: 'scrape_run_duration_seconds', window: step, by: ['status'] }), ({ status }) => status),
      ],
      tones: statusTones,
      min: 0,
      empty: unknownWhenEmpty('no run finished in this time range'),
      width: 8,
      height: 7,
    }),
    lines({
      title: 'Latency of the shop',
      description:
        'Mean time from the request until the body was read, within each step. A dot links to the trace of a request.',
      queries: [show(mean({ name: 'fetch_latency_seconds', window: step }), 'mean')],
      min: 0,
      empty: unknownWhenEmpty('no request in this time range'),
      width: 8,
      height: 7,
    }),
    lines({
      title: 'Slow requests',
      description:
        'Share of the requests to the shop within each step that took longer than a second, and than thirty.',
      queries: [
        show(shareAbove(1, { name: 'fetch_latency_seconds', window: step }), '> 1 s'),
        show(shareAbove(30, { name: 'fetch_latency_seconds', window: step }), '> 30 s'),
      ],
      thresholds: thresholds.slow_requests,
      min: 0,
      max: 1,
      empty: unknownWhenEmpty('no request in this time range'),
      width: 6,
      height: 7,
    }),
    events({
      title: 'Fetch errors',
      description: 'Requests to the shop without a usable response, by error type.',
      queries: [show(sum(increase('fetch_errors_total', step), ['error_type']), ({ error_type }) => error_type)],
      empty: healthyWhenEmpty('no error'),
      width: 6,
      height: 7,
    }),
    events({
      title: 'Artifacts by status',
      description: 'Raw artifacts recorded in the database, by the HTTP status of the response.',
      queries: [
        show(sum(increase('scrape_artifacts_recorded_total', step), ['http_status']), ({ http_status }) => http_status),
      ],
      tones: httpTones,
      empty: unknownWhenEmpty('artifacts are not counted'),
      width: 6,
      height: 7,
    }),
    events({
      title: 'Validation problems',
      description:
        'Problems in fetched products, by reason. malformed, or many problems in one run: the format of the feed has changed.',
      queries: [show(sum(increase('validation_errors_total', step), ['reason']), ({ reason }) => reason)],
      empty: healthyWhenEmpty('no problem'),
      width: 6,
      height: 7,
    }),
    lines({
      title: 'Waiting for review',
      description: 'Share of the coffees that wait for review.',
      queries: [show(max(latest('review_rate_percent')), 'review rate')],
      thresholds: thresholds.review_rate,
      min: 0,
      empty: unknownWhenEmpty('no coffee has a processing status'),
      width: 4,
      height: 7,
    }),
    events({
      title: 'Prices recorded',
      description: 'Prices recorded in the database, on sale or not.',
      queries: [
        show(sum(increase('prices_recorded_total', step, { is_sale: 'false' })), 'regular'),
        show(sum(increase('prices_recorded_total', step, { is_sale: 'true' })), 'on sale'),
      ],
      empty: notPolled,
      width: 5,
      height: 7,
      leadsTo: 'siphon-prices',
    }),
    events({
      title: 'Price changes by direction',
      description: 'Prices that differ from the previous price.',
      queries: [
        show(
          sum(increase('price_deltas_total', step, { change_type: ['increase', 'decrease'] }), ['change_type']),
          ({ change_type }) => change_type,
        ),
      ],
      empty: unknownWhenEmpty('no price was compared'),
      width: 5,
      height: 7,
      leadsTo: 'siphon-prices',
    }),
    areas({
      title: 'Stock',
      description:
        'Active variants, in stock or not. If they suddenly drop to 0, the parser probably no longer finds the field.',
      queries: [
        show(sum(latest('variants', { status: 'active', in_stock: 'true' })), 'in stock'),
        show(sum(latest('variants', { status: 'active', in_stock: 'false' })), 'sold out'),
      ],
      min: 0,
      empty: notPolled,
      width: 5,
      height: 7,
    }),
    events({
      title: 'Price jobs',
      ...jobOutcomes,
      empty: unknownWhenEmpty('no price job in this time range'),
      width: 5,
      height: 7,
      leadsTo: 'siphon-prices',
    }),
  ],
};
