import { max, min, sum } from '../../../dashboards/promql/aggregate.ts';
import { absentSeries, constant, or } from '../../../dashboards/promql/arithmetic.ts';
import { alert, type Alert } from '../../../dashboards/rules/alert.ts';
import { queueFill, scrapeJobs } from '../dashboards/expressions.ts';
import { latest, occurrences, overTime } from '../dashboards/promql.ts';
import { thresholds } from '../thresholds.ts';

const recent = occurrences('15m');

/** Items that Sentry rejected or did not receive, without those that siphon left out on purpose. */
const UNDELIVERED = ['queue_full', 'ratelimit_backoff', 'rate_limited', 'network_error', 'send_error'] as const;

const noSidecar = 'Silent: the sidecar does not answer, which raises SidecarDown.';
const neverCounted = 'Silent: the counter does not exist before the first loss.';

const targets = scrapeJobs.map((job) => absentSeries(latest('up', { job }), ['job']));

export const sidecarAlerts: readonly Alert[] = [
  alert({
    name: 'SidecarDown',
    owner: 'sidecar',
    measured: min(latest('up', { job: scrapeJobs }), ['job', 'instance']),
    raisedBy: { threshold: thresholds.target_up },
    level: { critical: 'page' },
    for: '2m',
    keepFiringFor: '1m',
    summary: ({ instance }) => `The sidecar does not answer on ${instance}`,
    description: ({ job, instance }) =>
      `Prometheus cannot scrape ${instance} (job ${job}). While the sidecar is down, telemetry of the services is lost, and dashboards and alerts have no data.`,
    whenMissing: 'Silent: if Prometheus has no such target, SidecarNotScraped fires instead.',
    panel: { dashboard: 'siphon-sidecar', title: 'Pages that answer' },
  }),
  alert({
    name: 'SidecarNotScraped',
    owner: 'sidecar',
    measured: targets.reduce((left, right) => or(left, right)),
    raisedBy: { severity: 'critical' },
    level: { critical: 'page' },
    for: '10m',
    summary: ({ job }) => `Prometheus has no target for the job ${job}`,
    description: ({ job }) =>
      `The job ${job} has no target. Without the two jobs of siphon the other alerts have no data and stay silent.`,
    whenMissing: 'This is the alert for missing series.',
    panel: { dashboard: 'siphon-sidecar', title: 'Pages that answer' },
  }),
  alert({
    name: 'DataDropped',
    owner: 'sidecar',
    measured: sum(recent('siphon_dropped_items'), ['instance', 'exporter', 'processor', 'otel_signal']),
    raisedBy: { threshold: thresholds.data_dropped },
    for: '0m',
    keepFiringFor: '15m',
    summary: ({ otel_signal }) => `The sidecar has lost ${otel_signal}`,
    // One of the two lost the items; the label of the other is empty.
    description: ({ instance, exporter, processor, otel_signal, value }, limit) =>
      `${value} items of ${otel_signal} were accepted and then lost by ${exporter}${processor} on ${instance} within 15 minutes (limit ${limit}).`,
    whenMissing: neverCounted,
    panel: { dashboard: 'siphon-sidecar', title: 'Lost' },
  }),
  alert({
    name: 'QueueFilling',
    owner: 'sidecar',
    measured: queueFill(['instance', 'exporter', 'data_type']),
    raisedBy: { threshold: thresholds.queue_fill },
    for: '5m',
    keepFiringFor: '5m',
    summary: ({ exporter }) => `The queue of ${exporter} is filling up`,
    description: ({ instance, exporter, data_type, value }, limit) =>
      `The queue of ${exporter} for ${data_type} on ${instance} is ${value} full (limit ${limit}). A full queue drops data.`,
    whenMissing: noSidecar,
    panel: { dashboard: 'siphon-sidecar', title: 'Queues' },
  }),
  alert({
    name: 'ScrapeSlow',
    owner: 'sidecar',
    measured: max(overTime('avg', 'scrape_duration_seconds', '5m', { job: scrapeJobs }), ['job', 'instance']),
    raisedBy: { threshold: thresholds.scrape_duration },
    level: { warning: 'info' },
    for: '5m',
    keepFiringFor: '10m',
    summary: ({ instance }) => `${instance} answers scrapes slowly`,
    description: ({ job, instance, value }, limit) =>
      `A scrape of ${instance} (job ${job}) takes ${value} on average (limit ${limit}). Prometheus aborts a scrape after its scrape_timeout.`,
    whenMissing: 'Silent: SidecarNotScraped fires instead.',
    panel: { dashboard: 'siphon-sidecar', title: 'Time of a scrape' },
  }),
  alert({
    name: 'SeriesLimitHit',
    owner: 'sidecar',
    measured: sum(recent('siphon_prometheus_dropped_points', { reason: ['max_series', 'max_series_bytes'] }), [
      'instance',
      'exporter',
    ]),
    raisedBy: { threshold: thresholds.series_limit },
    for: '0m',
    keepFiringFor: '15m',
    summary: ({ exporter }) => `${exporter} has reached its series limit`,
    description: ({ instance, exporter, value }) =>
      `${exporter} on ${instance} dropped ${value} points within 15 minutes, because their series would exceed max_series or max_series_bytes. Panels and alerts do not see them.`,
    whenMissing: neverCounted,
    panel: { dashboard: 'siphon-sidecar', title: 'Points that are not on the page' },
  }),
  alert({
    name: 'SentryExportFailing',
    owner: 'sidecar',
    measured: sum(recent('siphon_sentry_dropped_items', { reason: UNDELIVERED }), ['instance', 'exporter']),
    raisedBy: { threshold: thresholds.data_dropped },
    level: { warning: 'info' },
    for: '0m',
    keepFiringFor: '15m',
    summary: () => 'Traces and errors do not reach Sentry',
    description: ({ instance, exporter, value }, limit) =>
      `${value} transactions, spans and errors of ${exporter} on ${instance} did not reach Sentry within 15 minutes (limit ${limit}).`,
    whenMissing: neverCounted,
    panel: { dashboard: 'siphon-sidecar', title: 'What did not reach Sentry' },
  }),
  alert({
    name: 'Watchdog',
    owner: 'sidecar',
    measured: constant(1),
    raisedBy: { severity: 'none' },
    for: '0m',
    summary: () => 'Alerts work',
    description: () =>
      'This alert always fires. Its receiver must raise an alarm when the alert stops: Prometheus or Alertmanager is down then.',
    whenMissing: 'It needs no series. The receiver dead-man raises the alarm when this alert stops.',
  }),
];
