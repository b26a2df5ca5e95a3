import { max, min, sum } from '../../../dashboards/promql/aggregate.ts';
import { absentSeries, constant, or } from '../../../dashboards/promql/arithmetic.ts';
import { alert, type Alert } from '../../../dashboards/rules/alert.ts';
import { queueFill, scrapeJobs } from '../dashboards/expressions.ts';
import { latest, occurrences, overTime } from '../dashboards/promql.ts';
import { thresholds } from '../thresholds.ts';

const recent = occurrences('15m');

/** What Sentry did not take, or did not get; not what siphon left out by itself. */
const UNDELIVERED = ['queue_full', 'ratelimit_backoff', 'rate_limited', 'network_error', 'send_error'] as const;

const noSidecar = 'Silent: the sidecar\u2019s own page is away, which is SidecarDown.';
const neverCounted = 'Silent: a counter that was never touched is not there, and then nothing was lost.';

const targets = scrapeJobs.map((job) => absentSeries(latest('up', { job }), ['job']));

export const sidecarAlerts: readonly Alert[] = [
  alert({
    name: 'SidecarDown',
    owner: 'sidecar',
    measured: min(latest('up', { job: scrapeJobs }), ['job', 'instance']),
    raisedBy: { threshold: thresholds.target_up },
    for: '2m',
    keepFiringFor: '1m',
    summary: ({ instance }) => `The sidecar does not answer on ${instance}`,
    description: ({ job, instance }) =>
      `Prometheus does not reach ${instance} (job ${job}). What services send is lost while nobody listens, and dashboards and alerts see nothing.`,
    whenMissing: 'Silent, because SidecarNotScraped fires instead when Prometheus has no such target.',
    panel: { dashboard: 'siphon-pipeline', title: 'Pages that answer' },
  }),
  alert({
    name: 'SidecarNotScraped',
    owner: 'sidecar',
    measured: targets.reduce((left, right) => or(left, right)),
    raisedBy: { severity: 'critical' },
    for: '10m',
    summary: ({ job }) => `Prometheus scrapes no sidecar as ${job}`,
    description: ({ job }) =>
      `There is no target of the job ${job}. Every alert of siphon needs both of its pages, and is silent without them.`,
    whenMissing: 'This is the alert for what is missing.',
    panel: { dashboard: 'siphon-pipeline', title: 'Pages that answer' },
  }),
  alert({
    name: 'DataDropped',
    owner: 'sidecar',
    measured: sum(recent('siphon_dropped_items'), ['instance', 'exporter', 'processor', 'otel_signal']),
    raisedBy: { threshold: thresholds.data_dropped },
    for: '0m',
    keepFiringFor: '15m',
    summary: ({ otel_signal }) => `The sidecar has lost ${otel_signal}`,
    // Whichever of the two lost it; the other label is empty.
    description: ({ instance, exporter, processor, otel_signal, value }, limit) =>
      `${value} items of ${otel_signal} were accepted and then lost by ${exporter}${processor} on ${instance} within 15 minutes (limit ${limit}).`,
    whenMissing: neverCounted,
    panel: { dashboard: 'siphon-pipeline', title: 'Lost' },
  }),
  alert({
    name: 'QueueFilling',
    owner: 'sidecar',
    measured: queueFill(['instance', 'exporter', 'data_type']),
    raisedBy: { threshold: thresholds.queue_fill },
    for: '5m',
    keepFiringFor: '5m',
    summary: ({ exporter }) => `The queue of ${exporter} fills`,
    description: ({ instance, exporter, data_type, value }, limit) =>
      `The queue of ${exporter} for ${data_type} on ${instance} is ${value} full (limit ${limit}). Full, it drops.`,
    whenMissing: noSidecar,
    panel: { dashboard: 'siphon-pipeline', title: 'Queues' },
  }),
  alert({
    name: 'ScrapeSlow',
    owner: 'sidecar',
    measured: max(overTime('avg', 'scrape_duration_seconds', '5m', { job: scrapeJobs }), ['job', 'instance']),
    raisedBy: { threshold: thresholds.scrape_duration },
    for: '5m',
    keepFiringFor: '10m',
    summary: ({ instance }) => `${instance} answers scrapes slowly`,
    description: ({ job, instance, value }, limit) =>
      `A scrape of ${instance} (job ${job}) takes ${value} on average (limit ${limit}). Prometheus gives up after its scrape_timeout.`,
    whenMissing: 'Silent, because SidecarNotScraped fires instead.',
    panel: { dashboard: 'siphon-pipeline', title: 'Time of a scrape' },
  }),
  alert({
    name: 'SeriesLimitHit',
    owner: 'sidecar',
    measured: sum(recent('siphon_prometheus_dropped_points', { reason: 'max_series' }), ['instance', 'exporter']),
    raisedBy: { threshold: thresholds.series_limit },
    for: '0m',
    keepFiringFor: '15m',
    summary: ({ exporter }) => `${exporter} has reached its limit of series`,
    description: ({ instance, exporter, value }) =>
      `${value} points were left out by ${exporter} on ${instance} within 15 minutes, because their series would be more than max_series. They are on no panel and in no alert.`,
    whenMissing: neverCounted,
    panel: { dashboard: 'siphon-pipeline', title: 'Points that are not on the page' },
  }),
  alert({
    name: 'SentryExportFailing',
    owner: 'sidecar',
    measured: sum(recent('siphon_sentry_dropped_items', { reason: UNDELIVERED }), ['instance', 'exporter']),
    raisedBy: { threshold: thresholds.data_dropped },
    for: '0m',
    keepFiringFor: '15m',
    summary: () => 'Traces and errors do not reach Sentry',
    description: ({ instance, exporter, value }, limit) =>
      `${value} transactions, spans and errors of ${exporter} on ${instance} did not reach Sentry within 15 minutes (limit ${limit}).`,
    whenMissing: neverCounted,
    panel: { dashboard: 'siphon-pipeline', title: 'What did not reach Sentry' },
  }),
  alert({
    name: 'Watchdog',
    owner: 'sidecar',
    measured: constant(1),
    raisedBy: { severity: 'none' },
    for: '0m',
    summary: () => 'Alerts work',
    description: () =>
      'This alert always fires. Whoever receives it must raise an alarm when it stays away: then Prometheus or Alertmanager is down.',
    whenMissing: 'It needs no series. Its silence is the alarm, raised by the receiver dead-man.',
  }),
];
