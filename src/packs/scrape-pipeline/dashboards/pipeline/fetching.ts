import {
  bars,
  histogram,
  events,
  healthyWhenEmpty,
  lines,
  type Row,
  show,
  table,
  unknownWhenEmpty,
  unusedWhenEmpty,
} from '../../../../dashboards/model/panel.ts';
import { range, step } from '../../../../dashboards/model/variables.ts';
import { sum } from '../../../../dashboards/promql/aggregate.ts';
import { ratio } from '../../../../dashboards/promql/arithmetic.ts';
import { artifactErrors, fetchErrors, invalidProducts } from '../expressions.ts';
import { buckets, increase, mean, observations, shareAbove } from '../promql.ts';
import { thresholds } from '../../thresholds.ts';
import { httpTones } from '../tones.ts';

const latency = 'fetch_latency_seconds';

export const fetching: Row = {
  title: 'Fetching, validating, writing',
  panels: [
    lines({
      title: 'Latency of the shops',
      description:
        'Mean time from the request until the body was read, by shop. A dot links to the trace of a request.',
      queries: [show(mean({ name: latency, window: step, by: ['source'] }), ({ source }) => source)],
      min: 0,
      empty: unknownWhenEmpty('no request in this time range'),
      width: 8,
      height: 8,
      leadsTo: 'siphon-roaster',
    }),
    table({
      title: 'Requests by shop',
      description: 'Answered requests to each shop, their mean latency, and the shares that took longer.',
      labels: ['source'],
      sortBy: 'mean',
      columns: [
        show(sum(observations(latency, range), ['source']), 'requests'),
        show(mean({ name: latency, window: range, by: ['source'] }), 'mean'),
        show(shareAbove(1, { name: latency, window: range, by: ['source'] }), '> 1 s'),
        {
          ...show(shareAbove(30, { name: latency, window: range, by: ['source'] }), '> 30 s'),
          thresholds: thresholds.slow_requests,
        },
      ],
      empty: unknownWhenEmpty('no request in this time range'),
      width: 8,
      height: 8,
      leadsTo: 'siphon-roaster',
    }),
    events({
      title: 'Fetch errors by kind',
      description:
        'Requests to shops without a usable response. rate_limited: slow down; http_5xx: the shop is down; invalid_body: its feed has changed.',
      queries: [show(sum(increase('fetch_errors_total', step), ['error_type']), ({ error_type }) => error_type)],
      empty: healthyWhenEmpty('no error'),
      width: 8,
      height: 8,
      leadsTo: 'siphon-roaster',
    }),
    bars({
      title: 'Failing requests by shop',
      description: 'Share of the requests within the time range that got no usable response.',
      queries: [show(fetchErrors(['source']), ({ source }) => source)],
      thresholds: thresholds.fetch_error_rate,
      min: 0,
      max: 1,
      empty: unknownWhenEmpty('no request in this time range'),
      width: 5,
      height: 8,
      leadsTo: 'siphon-roaster',
    }),
    bars({
      title: 'Artifacts without a usable answer',
      description: 'Share of the artifacts within the time range whose HTTP status is neither 200 nor 304.',
      queries: [show(artifactErrors(['platform']), ({ platform }) => platform)],
      thresholds: thresholds.artifact_error_rate,
      min: 0,
      max: 1,
      empty: unknownWhenEmpty('no artifact in this time range'),
      width: 5,
      height: 8,
    }),
    events({
      title: 'Artifacts by HTTP status',
      description: 'Raw artifacts recorded in the database, by the HTTP status of the response.',
      queries: [
        show(sum(increase('scrape_artifacts_recorded_total', step), ['http_status']), ({ http_status }) => http_status),
      ],
      tones: httpTones,
      empty: unknownWhenEmpty('artifacts are not counted'),
      width: 7,
      height: 8,
    }),
    events({
      title: 'Artifacts by status, as the pipeline counts them',
      description:
        'Artifacts that the pipeline fetched, before they are in the database. Artifacts that are missing there were lost or rolled back.',
      queries: [show(sum(increase('artifacts_total', step), ['status']), ({ status }) => status)],
      tones: httpTones,
      empty: unknownWhenEmpty('no artifact in this time range'),
      width: 7,
      height: 8,
    }),
    histogram({
      title: 'Size of the bodies',
      description:
        'Artifacts within the time range by the length of their bodies. Many small bodies are usually error pages.',
      queries: [show(buckets({ name: 'scrape_artifact_body_bytes', window: range }), ({ le }) => le)],
      empty: unknownWhenEmpty('no artifact in this time range'),
      width: 8,
      height: 8,
    }),
    events({
      title: 'Problems found by validation',
      description: 'Problems in fetched products by reason. Each sends its product to review.',
      queries: [show(sum(increase('validation_errors_total', step), ['reason']), ({ reason }) => reason)],
      empty: healthyWhenEmpty('no problem'),
      width: 7,
      height: 8,
      leadsTo: 'siphon-roaster',
    }),
    bars({
      title: 'Products with a problem',
      description: 'Largest share of the products of one validation within the time range that did not pass, by shop.',
      queries: [show(ratio(...invalidProducts(['source'], range)), ({ source }) => source)],
      thresholds: thresholds.validation_errors,
      min: 0,
      max: 1,
      empty: unknownWhenEmpty('no validation in this time range'),
      width: 4,
      height: 8,
      leadsTo: 'siphon-roaster',
    }),
    events({
      title: 'Reads and writes of artifacts',
      description: 'Operations on the storage of raw artifacts, by outcome.',
      queries: [
        show(
          sum(increase('storage_operations_total', step), ['operation', 'outcome']),
          ({ operation, outcome }) => `${operation} ${outcome}`,
        ),
      ],
      empty: unusedWhenEmpty('the storage was not used'),
      width: 5,
      height: 8,
    }),
  ],
};
