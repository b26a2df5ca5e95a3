import { count, max, min, sum } from '../../../dashboards/promql/aggregate.ts';
import { age, and, compare, compareTo, ratio, unless } from '../../../dashboards/promql/arithmetic.ts';
import { alert, type Alert } from '../../../dashboards/rules/alert.ts';
import { recordedCount, recordedShare } from '../../../dashboards/rules/recording.ts';
import { succeededRuns } from '../dashboards/expressions.ts';
import { increases, latest } from '../dashboards/promql.ts';
import { thresholds } from '../thresholds.ts';

/** Every roaster has a price run within a week. */
const lastWeek = recordedShare(succeededRuns(['instance'], increases('7d')), [
  'instance:scrape_runs_succeeded:count7d',
  'instance:scrape_runs_finished:count7d',
]);

/** The runs of one roaster that fail are RunFailed or RunIncomplete. */
const failingRoasters = compare(
  recordedCount(
    'instance:scrape_failing_roasters:count7d',
    count(
      compare(
        sum(increases('7d')('scrape_runs_finished_total', { status: { not: 'ok' } }), ['instance', 'roaster']),
        '>',
        0,
      ),
      ['instance'],
      '{roaster}',
    ),
  ),
  '>=',
  2,
);

const lastFailure = max(latest('scrape_last_run_timestamp_seconds', { status: 'fail' }), ['roaster']);
const lastSuccess = max(latest('scrape_last_run_timestamp_seconds', { status: ['ok', 'partial'] }), ['roaster']);

const ROASTER = '{roaster}';

/** Roasters whose price run is a day late. */
const missedPriceRuns = count(
  compare(
    max(latest('scrape_overdue_seconds', { cadence: 'price' }), ['instance', 'roaster']),
    '>=',
    thresholds.overdue_price.critical,
  ),
  ['instance'],
  ROASTER,
);

const heldByDatabase =
  'Silent: the value is unknown. A firing alert continues for 30 minutes. DatabaseDown, PollerWithoutLeader and PollerFailing report that the database is not polled.';

/** Alerts on the runs in the database. They work even if no process of the pipeline is running. */
export const runAlerts: readonly Alert[] = [
  alert({
    name: 'PriceRunOverdue',
    owner: 'pipeline',
    measured: max(latest('scrape_overdue_seconds', { cadence: 'price' }), ['roaster']),
    raisedBy: { threshold: thresholds.overdue_price },
    for: '10m',
    keepFiringFor: '30m',
    summary: ({ roaster }) => `The price run of ${roaster} is overdue`,
    description: ({ roaster, value }, limit) =>
      `A price run of ${roaster} was due ${value} ago according to its cadence and has not succeeded since (limit ${limit}).`,
    whenMissing: heldByDatabase,
    panel: { dashboard: 'siphon-prices', title: 'Price runs overdue' },
  }),
  alert({
    name: 'PriceRunsStopped',
    owner: 'pipeline',
    measured: ratio(
      missedPriceRuns,
      count(latest('scrape_overdue_seconds', { cadence: 'price' }), ['instance'], ROASTER),
    ),
    guard: compare(missedPriceRuns, '>=', 2),
    raisedBy: { threshold: thresholds.price_runs_stopped },
    level: { critical: 'page' },
    for: '10m',
    keepFiringFor: '30m',
    summary: () => 'Price runs have stopped',
    description: ({ instance, value }, limit) =>
      `${value} of the roasters have missed their price run by more than a day, according to ${instance} (limit ${limit}).`,
    whenMissing: heldByDatabase,
    panel: { dashboard: 'siphon-prices', title: 'Price runs overdue' },
  }),
  alert({
    name: 'FullRunOverdue',
    owner: 'pipeline',
    measured: max(latest('scrape_overdue_seconds', { cadence: 'full' }), ['roaster']),
    raisedBy: { threshold: thresholds.overdue_full },
    for: '10m',
    keepFiringFor: '30m',
    summary: ({ roaster }) => `The full run of ${roaster} is overdue`,
    description: ({ roaster, value }, limit) =>
      `A full run of ${roaster} was due ${value} ago according to its cadence and has not succeeded since (limit ${limit}).`,
    whenMissing: heldByDatabase,
    panel: { dashboard: 'siphon-pipeline', title: 'Full runs overdue' },
  }),
  alert({
    name: 'RunFailed',
    owner: 'pipeline',
    measured: age(unless(lastFailure, compareTo(lastSuccess, '>=', lastFailure))),
    raisedBy: { severity: 'warning' },
    for: '5m',
    keepFiringFor: '30m',
    summary: ({ roaster }) => `The latest run of ${roaster} failed`,
    description: ({ roaster, value }) =>
      `A run of ${roaster} failed ${value} ago, and no run has succeeded since. The alert resolves with the next run that ends with ok or partial.`,
    whenMissing: heldByDatabase,
    panel: { dashboard: 'siphon-pipeline', title: 'Roasters' },
  }),
  alert({
    name: 'RunIncomplete',
    owner: 'pipeline',
    measured: unless(
      max(latest('scrape_due_since_ok'), ['roaster', 'cadence']),
      // A run that is missing, fails or has not finished.
      compare(max(latest('scrape_overdue_seconds'), ['roaster', 'cadence']), '>', 0),
    ),
    raisedBy: { threshold: thresholds.runs_without_ok },
    for: '10m',
    keepFiringFor: '30m',
    summary: ({ roaster }) => `The runs of ${roaster} are only partial`,
    description: ({ roaster, cadence, value }, limit) =>
      `${value} runs of ${roaster} (${cadence}) in a row have ended with partial, and none with ok (limit ${limit}). A part of its products is out of date.`,
    whenMissing: heldByDatabase,
    panel: { dashboard: 'siphon-pipeline', title: 'Runs due since the last ok' },
  }),
  alert({
    name: 'CadenceInvalid',
    owner: 'pipeline',
    measured: compare(max(latest('scrape_cadence_invalid'), ['roaster', 'cadence']), '>', 0),
    raisedBy: { severity: 'warning' },
    for: '10m',
    keepFiringFor: '3m',
    summary: ({ roaster }) => `A cadence of ${roaster} is invalid`,
    description: ({ roaster, cadence }) =>
      `${cadence}_cadence of ${roaster} is not a cron expression, or one that never matches. Its missing runs are not reported.`,
    whenMissing:
      'Silent: the series exists only while a cadence is invalid. If the database is not polled, PollerFailing fires.',
    panel: { dashboard: 'siphon-pipeline', title: 'Invalid cadences' },
  }),
  alert({
    name: 'RunStuck',
    owner: 'pipeline',
    measured: max(latest('scrape_run_oldest_running_seconds'), ['roaster']),
    raisedBy: { threshold: thresholds.run_age },
    for: '5m',
    keepFiringFor: '10m',
    summary: ({ roaster }) => `A run of ${roaster} is stuck`,
    description: ({ roaster, value }, limit) =>
      `A run of ${roaster} started ${value} ago and has not finished (limit ${limit}).`,
    whenMissing: 'Silent: the series exists only during a run. If the database is not polled, PollerFailing fires.',
    panel: { dashboard: 'siphon-pipeline', title: 'Oldest running' },
  }),
  alert({
    name: 'RunSuccessLow',
    owner: 'pipeline',
    measured: ratio(...lastWeek),
    guard: and(compare(lastWeek[1], '>=', 5), failingRoasters),
    raisedBy: { threshold: thresholds.run_success },
    level: { critical: 'page' },
    for: '15m',
    keepFiringFor: '1h',
    summary: () => 'Too few runs succeed',
    description: ({ instance, value }, limit) =>
      `Only ${value} of the runs that finished within 7 days succeeded, according to ${instance} (limit ${limit}).`,
    whenMissing:
      'Silent: with fewer than five finished runs in 7 days the share is not meaningful, and if the runs of only one roaster fail, RunFailed or RunIncomplete fires. PriceRunOverdue and FullRunOverdue report missing runs.',
    panel: { dashboard: 'siphon-pipeline', title: 'Runs that succeeded' },
  }),
  alert({
    name: 'HealthScoreLow',
    owner: 'pipeline',
    measured: min(latest('pipeline_health_score', { component: 'total' }), ['instance']),
    raisedBy: { threshold: thresholds.health_score },
    for: '15m',
    keepFiringFor: '30m',
    summary: () => 'The pipeline is unhealthy',
    description: ({ instance, value }, limit) =>
      `The health score is ${value} of 100, according to ${instance} (limit ${limit}).`,
    whenMissing: 'Silent: HealthScoreUnknown fires instead, because a missing score is not a good score.',
    panel: { dashboard: 'siphon-pipeline', title: 'Health score' },
  }),
  alert({
    name: 'HealthScoreUnknown',
    owner: 'pipeline',
    measured: compare(max(latest('pipeline_health_unknown_components'), ['instance']), '>', 0),
    raisedBy: { severity: 'warning' },
    for: '15m',
    keepFiringFor: '3m',
    summary: () => 'The health of the pipeline is unknown',
    description: ({ instance, value }) =>
      `${value} components of the health score are unknown, according to ${instance}, so the score is missing. Treat an unknown score as unhealthy.`,
    whenMissing:
      'Silent: no poller uses the pack scrape_pipeline, or the database has none of its tables. If the database is not polled, PollerFailing fires; if the sidecar does not answer, SidecarDown does.',
    panel: { dashboard: 'siphon-pipeline', title: 'Unknown components' },
  }),
];
