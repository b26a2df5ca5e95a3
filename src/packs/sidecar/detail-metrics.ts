/** The metrics of the sidecar that no panel shows, and why. */

const LOGS = 'for pipelines of logs; the dashboard shows the spans of the same services';
const QUEUED = 'for exporters with a sending queue; `otelcol_exporter_queue_size` shows how full it is';
const PROCESSORS = 'shows which processor drops items; the dashboard shows the loss of all of them';
const BATCHES = 'for the settings of the `batch` processor';
const STORAGE = 'for the `file_storage` extension; its log shows the cause';
const RELOADS = 'for reloads of the configuration; the log shows the problems of a failed one';
const LEDGER = 'for the search for lost items; `siphon_dropped_items` shows losses';
const EXEMPLARS = 'for the `exemplars` processor, which the shipped configuration does not have';
const STORE = 'for the size of the `telemetry_store` exporter';
const SAMPLER = 'for the `probabilistic_sampler` processor, which the shipped configuration does not have';
const TAIL_SAMPLING = 'for the `tail_sampling` processor, which the shipped configuration does not have';
const SPAN_METRICS = 'for the `span_metrics` connector, which the shipped configuration does not have';
const HISTORY = 'for the `metrics_history` extension, which the shipped configuration does not have';
const RULES =
  'for the rules of the `metrics_history` extension; the view *Alerts* of the console shows which one fails';
const SQLQUERY = 'for the `sqlquery` receiver, which the shipped configuration does not have';

export const detailMetrics = {
  siphon_receiver_spool_files:
    'belongs to the end of services; what is lost is rejected, and `siphon_receiver_rejected_requests` shows it',
  siphon_sentry_held_spans: 'varies with the traffic; `siphon_sentry_dropped_items` shows when there are too many',
  otelcol_process_uptime: 'provides the values of the variable `sidecar`',
  otelcol_process_runtime_total_sys_memory_bytes: '`otelcol_process_memory_rss` shows the memory of the whole process',
  scrape_samples_scraped: '`siphon_prometheus_series` shows the same for the page that grows',
  siphon_exporter_partial_success_rejected_items:
    'for the `otlp_http` exporter; its log shows the reason of the server',
  siphon_prometheus_clock_set_points: 'the log reports that a clock was set back',
  siphon_prometheus_changed_labels: 'counts new series only; the log of the sender\u2019s SDK is the place to fix it',
  otelcol_receiver_accepted_log_records: LOGS,
  otelcol_receiver_refused_log_records: LOGS,
  otelcol_processor_memory_limiter_accepted_log_records: LOGS,
  otelcol_processor_memory_limiter_refused_log_records: LOGS,
  otelcol_exporter_sent_log_records: LOGS,
  otelcol_exporter_send_failed_log_records: LOGS,
  otelcol_exporter_enqueue_failed_log_records: LOGS,
  otelcol_exporter_enqueue_failed_metric_points: QUEUED,
  otelcol_processor_incoming_items: PROCESSORS,
  otelcol_processor_outgoing_items: PROCESSORS,
  otelcol_processor_memory_limiter_accepted_metric_points:
    '`otelcol_receiver_accepted_metric_points` shows the traffic',
  otelcol_processor_memory_limiter_accepted_spans: '`otelcol_receiver_accepted_spans` shows the traffic',
  otelcol_processor_batch_batch_size_trigger_send: BATCHES,
  otelcol_processor_batch_timeout_trigger_send: BATCHES,
  otelcol_processor_batch_batch_send_size: BATCHES,
  otelcol_processor_batch_batch_send_size_bytes: BATCHES,
  siphon_queue_corrupt_entries: STORAGE,
  siphon_file_storage_errors: STORAGE,
  siphon_file_storage_set_aside_files: STORAGE,
  siphon_file_storage_size_bytes: STORAGE,
  siphon_ledger_accepted_items: LEDGER,
  siphon_ledger_delivered_items: LEDGER,
  siphon_ledger_waiting_items: LEDGER,
  siphon_ledger_dropped_items: LEDGER,
  siphon_ledger_difference_items: LEDGER,
  siphon_log_lines_lost: 'the log itself reports lost lines when it can be written again',
  siphon_log_lines_suppressed: 'the log itself reports which messages were suppressed, after at most ten seconds',
  siphon_config_reloads: RELOADS,
  siphon_config_last_load_timestamp_seconds: RELOADS,
  siphon_store_items: STORE,
  siphon_store_size_bytes: STORE,
  siphon_store_evicted_items: STORE,
  siphon_store_dropped_items: 'the answer to the sender reports it',
  siphon_store_cut_parts: STORE,
  siphon_history_series: HISTORY,
  siphon_history_left_out_series: HISTORY,
  siphon_history_bytes: HISTORY,
  siphon_history_length_seconds: HISTORY,
  siphon_rules: RULES,
  siphon_rules_failing: RULES,
  siphon_rules_missed_evaluations: RULES,
  siphon_rules_duration_seconds: RULES,
  siphon_rules_bytes: RULES,
  siphon_rules_left_out_series: RULES,
  siphon_rules_notifications_sent: RULES,
  siphon_rules_notifications_failed: RULES,
  siphon_sqlquery_errors: SQLQUERY,
  siphon_sqlquery_query_duration_seconds: SQLQUERY,
  siphon_sqlquery_connect_duration_seconds: SQLQUERY,
  siphon_sqlquery_success_age_seconds: SQLQUERY,
  siphon_sqlquery_query_interval_seconds: SQLQUERY,
  siphon_sqlquery_rows: SQLQUERY,
  siphon_sqlquery_pool_connections: SQLQUERY,
  otelcol_processor_probabilistic_sampler_count_traces_sampled: SAMPLER,
  otelcol_processor_tail_sampling_global_count_traces_sampled: TAIL_SAMPLING,
  otelcol_processor_tail_sampling_count_traces_sampled: TAIL_SAMPLING,
  otelcol_processor_tail_sampling_early_releases_from_cache_decision: TAIL_SAMPLING,
  otelcol_processor_tail_sampling_traces_dropped_too_large: TAIL_SAMPLING,
  otelcol_processor_tail_sampling_sampling_traces_on_memory: TAIL_SAMPLING,
  otelcol_processor_tail_sampling_sampling_policy_evaluation_error: TAIL_SAMPLING,
  siphon_tail_sampling_held_bytes: TAIL_SAMPLING,
  siphon_tail_sampling_early_decisions: TAIL_SAMPLING,
  siphon_tail_sampling_removed_exemplars: TAIL_SAMPLING,
  siphon_exemplars_decisions: EXEMPLARS,
  siphon_exemplars_dropped_spans: EXEMPLARS,
  siphon_span_metrics_skipped_spans: SPAN_METRICS,
  siphon_span_metrics_overflow_spans: SPAN_METRICS,
  siphon_sqlquery_dropped_points: SQLQUERY,
  siphon_sqlquery_dropped_log_records: SQLQUERY,
} as const;
