/** The number of series that Prometheus stores. */
import { packMetrics, type MetricName } from '../index.ts';
import type { BudgetedLabel, ClosedLabel, Metric } from '../../metrics/metric.ts';
import type { Alert } from '../../dashboards/rules/alert.ts';
import { recordingsIn } from '../../dashboards/rules/rule-files.ts';

/** The number of roasters in the table. */
const ROASTERS = 50;

/** The number of roasters with a fault or a run at any time. */
const A_TENTH = ROASTERS / 10;

/**
 * How many values a label has for each set of values of the others, where that is less than it may have: combinations that
 * cannot occur are not counted, and those that occur sooner or later are.
 */
const USUAL: Readonly<Record<string, number>> = {
  roaster: ROASTERS,
  source: ROASTERS,
  // A roaster has one platform and sells in one currency.
  platform: 1,
  currency: 1,
  service: ROASTERS + 1,
  // The largest ones, and a few others with most dead rows.
  table: 13,
  // A statement has one text.
  queryid: 10,
  statement: 1,
  // The polled one and that of the administrator.
  datname: 2,
  standby: 1,
  slot: 1,
  subscription: 0,
  index: 2,
  sequence: 5,
  http_status: 3,
  reason: 1,
  query: 39,
  label: 1,
  receiver: 1,
  processor: 1,
  connector: 1,
  exporter: 1,
  extension: 1,
  file: 1,
  change: 1,
  data_type: 1,
  otel_signal: 1,
  // Three pipelines, and their exporters for each signal.
  account: 9,
  transport: 1,
  http_request_method: 2,
  http_response_status_code: 3,
  http_route: 1,
  error_type: 1,
  server_address: 1,
  server_port: 1,
  db_system_name: 1,
  db_operation_name: 5,
  db_namespace: 1,
  db_client_connection_pool_name: 1,
};

/** Components that the shipped configuration does not use, and what does not happen there. */
const ABSENT: ReadonlySet<MetricName> = new Set([
  'otelcol_exporter_enqueue_failed_metric_points',
  'siphon_exporter_partial_success_rejected_items',
  'siphon_prometheus_changed_labels',
  'otelcol_processor_probabilistic_sampler_count_traces_sampled',
  'otelcol_processor_tail_sampling_global_count_traces_sampled',
  'otelcol_processor_tail_sampling_count_traces_sampled',
  'otelcol_processor_tail_sampling_early_releases_from_cache_decision',
  'otelcol_processor_tail_sampling_traces_dropped_too_large',
  'otelcol_processor_tail_sampling_sampling_traces_on_memory',
  'otelcol_processor_tail_sampling_sampling_policy_evaluation_error',
  'siphon_tail_sampling_held_bytes',
  'siphon_tail_sampling_early_decisions',
  'siphon_tail_sampling_removed_exemplars',
  'siphon_exemplars_decisions',
  'siphon_span_metrics_skipped_spans',
  'siphon_span_metrics_overflow_spans',
  'siphon_exemplars_dropped_spans',
  'siphon_rules',
  'siphon_rules_failing',
  'siphon_rules_missed_evaluations',
  'siphon_rules_duration_seconds',
  'siphon_rules_bytes',
  'siphon_rules_left_out_series',
  'siphon_rules_notifications_sent',
  'siphon_rules_notifications_failed',
  'siphon_sqlquery_errors',
  'siphon_sqlquery_query_duration_seconds',
  'siphon_sqlquery_connect_duration_seconds',
  'siphon_sqlquery_success_age_seconds',
  'siphon_sqlquery_query_interval_seconds',
  'siphon_sqlquery_rows',
  'siphon_sqlquery_pool_connections',
  'siphon_sqlquery_dropped_points',
  'siphon_sqlquery_dropped_log_records',
]);

/** Where one metric differs. */
const USUAL_OF: Readonly<Partial<Record<MetricName, Readonly<Record<string, number>>>>> = {
  fetch_errors_total: { error_type: 2 },
  artifacts_total: { platform: 4, status: 4 },
  // Active ones that are well or in review, and some that are gone.
  coffees: { status: 2, processing_status: 2 },
  variants: { status: 2 },
  roasters: { platform: 4 },
  // A table is read or written, a function is called.
  database_queries_total: { table: 15, query_type: 1 },
  // Absent without a run.
  scrape_run_oldest_running_seconds: { roaster: A_TENTH },
  // Absent while the cadence is valid.
  scrape_cadence_invalid: { roaster: 0 },
  // A scraper answers no requests.
  http_server_request_duration_seconds: { http_request_method: 0 },
  // Without track_io_timing.
  database_io_time_seconds_total: { backend: 0 },
  database_sessions_lost_total: { reason: 3 },
  siphon_db_poller_errors: { query: 40, reason: 6 },
  siphon_db_poller_success_age_seconds: { query: 40 },
  siphon_db_poller_query_interval_seconds: { query: 40 },
  // The poller, and services over HTTP and gRPC.
  otelcol_receiver_accepted_metric_points: { receiver: 3 },
  otelcol_receiver_refused_metric_points: { receiver: 3 },
  otelcol_receiver_accepted_spans: { receiver: 2 },
  otelcol_receiver_refused_spans: { receiver: 2 },
  otelcol_receiver_accepted_log_records: { receiver: 3 },
  otelcol_receiver_refused_log_records: { receiver: 3 },
  siphon_db_poller_dropped_points: { query: 40, reason: 1 },
  siphon_db_poller_rebaselines: { query: 5, reason: 6 },
  siphon_db_poller_backlog_rows: { query: 5 },
  siphon_db_poller_uncounted_inserts: { query: 5 },
  siphon_db_poller_counting_since_timestamp_seconds: { query: 5 },
  // The memory limiter in three pipelines, and the batch processor in two.
  otelcol_processor_incoming_items: { processor: 5 },
  otelcol_processor_outgoing_items: { processor: 5 },
  // Each pipeline has two exporters.
  otelcol_exporter_sent_metric_points: { exporter: 2 },
  otelcol_exporter_send_failed_metric_points: { exporter: 2 },
  otelcol_exporter_sent_spans: { exporter: 2 },
  otelcol_exporter_send_failed_spans: { exporter: 2 },
  otelcol_exporter_sent_log_records: { exporter: 2 },
  otelcol_exporter_send_failed_log_records: { exporter: 2 },
  siphon_file_storage_errors: { reason: 6 },
  siphon_queue_corrupt_entries: { exporter: 3 },
  // Nothing is replaced.
  siphon_db_poller_replaced_label_values: { query: 0 },
  // The services and the poller.
  siphon_prometheus_series: { exported_job: 3 },
  // There with 0 from the start.
  siphon_dropped_items: { otel_signal: 2, reason: 8 },
  siphon_receiver_rejected_requests: { transport: 2, reason: 7 },
  siphon_receiver_spool_files: { outcome: 5 },
  siphon_prometheus_dropped_points: { reason: 11 },
  siphon_sentry_dropped_items: { category: 4, reason: 6 },
  siphon_store_items: { otel_signal: 2 },
  siphon_store_evicted_items: { otel_signal: 2, trace_class: 4 },
};

/** Labels whose values are roasters. A rate limit comes from a roaster's shop or from the database. */
export const ROASTER_LABELS: ReadonlySet<string> = new Set(['roaster', 'source', 'service']);

/** Recorded only where something went wrong. */
export const OF_FAULTS: ReadonlySet<string> = new Set([
  'source:fetch_errors:count6h',
  'roaster:failed_artifacts:count6h',
  'roaster:price_spike_alerts:count1d',
  'instance:scrape_failing_roasters:count7d',
  'job:price_job_failing_roasters:count6h',
  'job:price_job_failures:count6h',
]);

/** Metrics on the pages that the packs do not describe: no dashboard needs them. */
export const BESIDES = {
  'from the instrumentations of the preload: `nodejs_*`, `v8js_*`, `target_info`': { labelSets: 27, series: 27 },
  'from the sidecar and its poller: `target_info`': { labelSets: 2, series: 2 },
} as const satisfies Record<string, Size>;

interface Size {
  /** Sets of label values: the series of a counter, a gauge, or a native histogram. */
  readonly labelSets: number;
  /** With a series for each bucket of a classic histogram, one for its sum and one for its count. */
  readonly series: number;
}

/** The alerts whose recordings are counted. */
interface AlertSource {
  readonly alerts: readonly Alert[];
}

interface Row extends Size {
  readonly what: string;
}

/** The series of a metric with 50 roasters, one service process and one sidecar. */
export function cardinalityOf(name: MetricName): Size {
  const metric: Metric = packMetrics[name];
  if (ABSENT.has(name)) return { labelSets: 0, series: 0 };
  const targets = metric.source === 'prometheus' ? 2 : 1;
  const labelSets = ofEachRoaster(name) * roastersOf(name) * targets;
  const perSet = metric.kind === 'histogram' ? metric.buckets.length + 3 : 1;
  return { labelSets, series: labelSets * perSet };
}

/** Sets of values of the labels other than the roaster's name. */
export function ofEachRoaster(name: MetricName): number {
  const sizes = Object.entries<ClosedLabel | BudgetedLabel>(packMetrics[name].labels).map(([label, values]) =>
    ROASTER_LABELS.has(label) ? 1 : sizeOf(name, label, values),
  );
  return sizes.reduce((all, size) => all * size, 1);
}

function roastersOf(name: MetricName): number {
  const label = Object.keys(packMetrics[name].labels).find((one) => ROASTER_LABELS.has(one));
  return label === undefined ? 1 : (USUAL_OF[name]?.[label] ?? USUAL[label] ?? ROASTERS);
}

/** The series of all metrics. */
export function totalCardinality(source: AlertSource): Size {
  return totalOf(rows(source));
}

export function cardinalitySection(source: AlertSource): string {
  const { labelSets, series } = totalCardinality(source);
  return (
    [
      '## How many series',
      `What Prometheus stores at a time for ${ROASTERS} roasters, one service process and one sidecar, scraped as they are shipped: **${series}** with classic histograms, which have a series for each bucket, and ${labelSets} with [native ones](prometheus.md), which are one.`,
      'A roaster has one platform and one currency, has seen runs end in every way and two kinds of fetch errors, and sees three HTTP statuses; a tenth of the roasters has a run or a fault at any time. A test compares this with a running demo.',
      `With \`enable_open_metrics\` come ${createdSamples()} samples \`…_created\`, unless the job drops them ([how](prometheus.md#exemplars)). Each start of a service is another \`instance\`: the series of the one before stay on disk as long as Prometheus keeps data.`,
      [
        '| metric | label sets | series |',
        '| --- | ---: | ---: |',
        ...rows(source).map((row) => `| ${row.what} | ${row.labelSets} | ${row.series} |`),
        `| **all** | **${labelSets}** | **${series}** |`,
      ].join('\n'),
    ].join('\n\n') + '\n'
  );
}

function rows(source: AlertSource): readonly Row[] {
  const metrics = Object.keys(packMetrics) as MetricName[];
  const known = metrics.map((name): Row => ({ what: `\`${name}\``, ...cardinalityOf(name) }));
  return [
    ...known.filter(({ series }) => series > 0).toSorted((left, right) => right.series - left.series),
    ...Object.entries(BESIDES).map(([what, size]): Row => ({ what, ...size })),
    uniform('from Prometheus: two more about each of two targets, and `ALERTS*` of the watchdog', 2 * 2 + 2),
    uniform('recorded by the [rules](../deploy/prometheus/README.md)', recordedSeries(source)),
  ];
}

function uniform(what: string, series: number): Row {
  return { what, labelSets: series, series };
}

function recordedSeries({ alerts }: AlertSource): number {
  const sizes = recordingsIn(alerts).map(({ name, expression }) => {
    const isOfRoasters = expression.labels.some((label) => label === 'roaster' || label === 'source');
    if (!isOfRoasters) return 1;
    return OF_FAULTS.has(name) ? A_TENTH : ROASTERS;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** The `_created` samples of counters and histograms on the scrape endpoint. */
function createdSamples(): number {
  const begun = (Object.entries(packMetrics) as [MetricName, Metric][]).filter(
    ([, { kind, source }]) => kind !== 'gauge' && ['sdk', 'runtime', 'poller'].includes(source),
  );
  return totalOf(begun.map(([name]) => cardinalityOf(name))).labelSets;
}

function sizeOf(name: MetricName, label: string, values: ClosedLabel | BudgetedLabel): number {
  const usual = USUAL_OF[name]?.[label] ?? USUAL[label];
  return usual ?? ('maxValues' in values ? values.maxValues : values.length);
}

function totalOf(sizes: readonly Size[]): Size {
  const total = (key: keyof Size): number => sizes.reduce((sum, size) => sum + size[key], 0);
  return { labelSets: total('labelSets'), series: total('series') };
}
