import { count, sum } from '../../../dashboards/promql/aggregate.ts';
import { and, compare, multipleOf, ratio } from '../../../dashboards/promql/arithmetic.ts';
import { alert, type Alert } from '../../../dashboards/rules/alert.ts';
import { recorded, recordedCount, recordedShare, usually } from '../../../dashboards/rules/recording.ts';
import {
  failedArtifacts,
  failedFetches,
  failedPriceJobs,
  invalidProducts,
  reviewRate,
} from '../dashboards/expressions.ts';
import { latest, mean, occurrences, quantileOfOccurrences } from '../dashboards/promql.ts';
import { thresholds } from '../thresholds.ts';

/** Long enough to cover a whole run, short enough that two runs do not mix. */
const RUN = '6h';
const run = occurrences(RUN);
const day = occurrences('1d');

const fetches = recordedShare(failedFetches(['source'], run), [
  'source:fetch_errors:count6h',
  'source:fetch_requests:count6h',
]);
/** Fewer requests show the network, not the store. */
const FEWEST_REQUESTS = 5;
const latency = recorded(
  'source:fetch_latency_seconds:mean6h',
  and(
    mean({ name: 'fetch_latency_seconds', window: RUN, by: ['source'] }),
    compare(sum(run('fetch_latency_seconds'), ['source']), '>=', FEWEST_REQUESTS),
  ),
);
/** A faster store holds nothing up, however fast it was before. */
const NOTICEABLE_S = 1;
const artifacts = recordedShare(failedArtifacts(['roaster'], run), [
  'roaster:failed_artifacts:count6h',
  'roaster:artifacts:count6h',
]);
const priceJobs = recordedShare(failedPriceJobs(['job'], run), [
  'job:price_job_failures:count6h',
  'job:price_jobs:count6h',
]);
/** The jobs of one roaster that fail are FetchErrors or RunFailed. */
const failingRoasters = compare(
  recordedCount(
    'job:price_job_failing_roasters:count6h',
    count(compare(sum(run('price_job_failures_total'), ['job', 'roaster']), '>', 0), ['job'], '{roaster}'),
  ),
  '>=',
  2,
);
/** Fewer products are unusual ones, not a fault of the feed. */
const SOME = 3;
const validated = invalidProducts(['source'], RUN);
const spikes = recordedCount('roaster:price_spike_alerts:count1d', sum(day('price_spike_alerts_total'), ['roaster']));
const activeVariants = sum(latest('variants', { status: 'active' }), ['roaster']);
const inReview = sum(latest('coffees', { processing_status: 'review' }), ['roaster']);

const noRun = 'Between runs nothing is counted. PriceRunOverdue and FullRunOverdue report missing runs.';
const betweenRuns = `Silent: nothing was fetched. ${noRun}`;

/** Problems during runs. Each alert looks back over one run, so that it neither flaps within a run nor lasts until the next. */
export const fetchingAlerts: readonly Alert[] = [
  alert({
    name: 'FetchErrors',
    owner: 'pipeline',
    measured: ratio(...fetches),
    guard: compare(fetches[0], '>=', 2),
    raisedBy: { threshold: thresholds.fetch_error_rate },
    for: '0m',
    // Longer than the alerts that it inhibits.
    keepFiringFor: '1h',
    labels: { roaster: 'source' },
    summary: ({ source }) => `Requests to ${source} fail`,
    description: ({ source, value }, limit) =>
      `${value} of the requests to ${source} within 6 hours got no usable response (limit ${limit}).`,
    whenMissing: betweenRuns,
    panel: { dashboard: 'siphon-pipeline', title: 'Failing requests by shop' },
  }),
  alert({
    name: 'FetchSlow',
    owner: 'pipeline',
    measured: recorded(
      'source:fetch_latency_seconds:p95_6h',
      quantileOfOccurrences(0.95, { name: 'fetch_latency_seconds', window: RUN, by: ['source'] }),
    ),
    guard: compare(fetches[1], '>=', FEWEST_REQUESTS),
    raisedBy: { threshold: thresholds.fetch_p95 },
    level: { warning: 'info' },
    for: '0m',
    keepFiringFor: '30m',
    labels: { roaster: 'source' },
    summary: ({ source }) => `${source} responds slowly`,
    description: ({ source, value }, limit) =>
      `One request in twenty to ${source} within 6 hours took ${value} or longer (limit ${limit}).`,
    whenMissing: betweenRuns,
    panel: { dashboard: 'siphon-pipeline', title: 'Requests by shop' },
  }),
  alert({
    name: 'FetchSlowed',
    owner: 'pipeline',
    measured: multipleOf(latency, usually(latency, { window: '7d', before: RUN })),
    guard: compare(latency, '>=', NOTICEABLE_S),
    raisedBy: { threshold: thresholds.fetch_slowdown },
    level: { warning: 'info' },
    for: '0m',
    keepFiringFor: '30m',
    labels: { roaster: 'source' },
    summary: ({ source }) => `${source} responds much more slowly than usual`,
    description: ({ source, value }, limit) =>
      `Requests to ${source} took on average a second or longer within 6 hours, and ${value} times as long as usual within the week before (limit ${limit} times).`,
    whenMissing: `Silent: the store was not fetched in the week before, or fewer than five of its requests were answered. ${noRun}`,
    panel: { dashboard: 'siphon-pipeline', title: 'Latency of the shops' },
  }),
  alert({
    name: 'ArtifactErrors',
    owner: 'pipeline',
    measured: ratio(...artifacts),
    guard: compare(artifacts[0], '>=', 2),
    raisedBy: { threshold: thresholds.artifact_error_rate },
    for: '5m',
    keepFiringFor: '1m',
    summary: ({ roaster }) => `Artifacts of ${roaster} lack a usable response`,
    description: ({ roaster, value }, limit) =>
      `${value} of the artifacts of ${roaster} within 6 hours have an HTTP status other than 200 and 304 (limit ${limit}).`,
    whenMissing: betweenRuns,
    panel: { dashboard: 'siphon-pipeline', title: 'Artifacts without a usable answer' },
  }),
  alert({
    name: 'ValidationErrors',
    owner: 'pipeline',
    measured: ratio(...validated),
    guard: compare(validated[0], '>=', SOME),
    raisedBy: { threshold: thresholds.validation_errors },
    for: '0m',
    keepFiringFor: '30m',
    labels: { roaster: 'source' },
    summary: ({ source }) => `Products of ${source} do not pass validation`,
    description: ({ source, value }, limit) =>
      `Validation found problems in ${value} of the products of ${source} within 6 hours (limit ${limit}).`,
    whenMissing: `Silent: the pipeline does not record its validations, or found problems in fewer than three products. ${noRun}`,
    panel: { dashboard: 'siphon-pipeline', title: 'Products with a problem' },
  }),
  alert({
    name: 'ReviewRateHigh',
    owner: 'pipeline',
    measured: reviewRate(),
    guard: compare(inReview, '>=', 3),
    raisedBy: { threshold: thresholds.review_rate },
    level: { warning: 'info' },
    for: '30m',
    keepFiringFor: '1h',
    summary: ({ roaster }) => `Many coffees of ${roaster} wait for review`,
    description: ({ roaster, value }, limit) =>
      `${value} of the coffees of ${roaster} wait for review (limit ${limit}).`,
    whenMissing:
      'Silent: no coffee has a processing status, so the rate is unknown. If the database is not polled, PollerFailing fires.',
    panel: { dashboard: 'siphon-pipeline', title: 'Review rate' },
  }),
  alert({
    name: 'PriceSpikes',
    owner: 'pipeline',
    measured: ratio(spikes, activeVariants),
    guard: compare(spikes, '>=', SOME),
    raisedBy: { threshold: thresholds.price_spikes },
    level: { warning: 'info' },
    for: '0m',
    summary: ({ roaster }) => `Prices of ${roaster} changed abruptly`,
    description: ({ roaster, value }, limit) =>
      `Of ${value} of the active variants of ${roaster}, the price changed within a day by more than its configured alert threshold (limit ${limit}).`,
    whenMissing:
      'Silent: fewer than three prices have spiked, or the variants are unknown. If the database is not polled, PollerFailing fires.',
    panel: { dashboard: 'siphon-prices', title: 'Spikes' },
  }),
  alert({
    name: 'PriceJobsFailing',
    owner: 'pipeline',
    measured: ratio(...priceJobs),
    guard: and(compare(priceJobs[0], '>=', 2), failingRoasters),
    raisedBy: { threshold: thresholds.price_job_failure_rate },
    for: '0m',
    keepFiringFor: '30m',
    summary: () => 'Price jobs of several roasters fail',
    description: ({ job, value }, limit) =>
      `${value} of the price jobs of ${job} within 6 hours failed (limit ${limit}).`,
    whenMissing: betweenRuns,
    panel: { dashboard: 'siphon-prices', title: 'Jobs that failed' },
  }),
  alert({
    name: 'RateLimited',
    owner: 'pipeline',
    measured: sum(occurrences('10m')('rate_limit_errors_total'), ['service']),
    raisedBy: { threshold: thresholds.rate_limits },
    level: { warning: 'info' },
    for: '0m',
    keepFiringFor: '30m',
    summary: ({ service }) => `${service} limits the request rate`,
    description: ({ service, value }, limit) =>
      `${service} rejected ${value} requests within 10 minutes because of its rate limit (limit ${limit}).`,
    whenMissing: 'Silent: the counter does not exist before the first rate limit.',
    panel: { dashboard: 'siphon-prices', title: 'Rate limits and backoff' },
  }),
];
