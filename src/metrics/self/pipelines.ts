/**
 * The metrics that the engine counts for every component. Names and descriptions are the stock Collector's, where it has the
 * metric and the description is true for siphon.
 */
import type { BudgetedLabel } from '../metric.ts';
import {
  earlyDecisionReasons,
  exemplarOutcomes,
  failureReasons,
  ledgerReasons,
  rejectionReasons,
  removedExemplarReasons,
  samplingPolicies,
  samplingVerdicts,
  spoolOutcomes,
  transientFailureReasons,
  transientRejectionReasons,
  uncountedSpanReasons,
  unlinkedSpanReasons,
} from '../reasons.ts';
import { connector, exporter, processor, receiver, sidecarMetrics, signals, transports } from './sidecar-metric.ts';

const samplingPolicy: BudgetedLabel = { maxValues: 20, description: 'name of the policy', fromConfiguration: true };

export const receiverMetrics = sidecarMetrics({
  otelcol_receiver_accepted_metric_points: {
    kind: 'counter',
    unit: '{point}',
    description: 'Number of metric points successfully pushed into the pipeline',
    labels: { receiver, transport: transports },
    startsAtZero: {},
  },
  otelcol_receiver_refused_metric_points: {
    kind: 'counter',
    unit: '{point}',
    description: 'Number of metric points that could not be pushed into the pipeline',
    labels: { receiver, transport: transports },
    startsAtZero: {},
  },
  otelcol_receiver_accepted_spans: {
    kind: 'counter',
    unit: '{span}',
    description: 'Number of spans successfully pushed into the pipeline',
    labels: { receiver, transport: transports },
    startsAtZero: {},
  },
  otelcol_receiver_refused_spans: {
    kind: 'counter',
    unit: '{span}',
    description: 'Number of spans that could not be pushed into the pipeline',
    labels: { receiver, transport: transports },
    startsAtZero: {},
  },
  otelcol_receiver_accepted_log_records: {
    kind: 'counter',
    unit: '{record}',
    description: 'Number of log records successfully pushed into the pipeline',
    labels: { receiver, transport: transports },
    startsAtZero: {},
  },
  otelcol_receiver_refused_log_records: {
    kind: 'counter',
    unit: '{record}',
    description: 'Number of log records that could not be pushed into the pipeline',
    labels: { receiver, transport: transports },
    startsAtZero: {},
  },
  siphon_receiver_rejected_requests: {
    kind: 'counter',
    unit: '{request}',
    description: 'Requests that a receiver rejected, by the reason that the sender received',
    labels: { receiver, transport: transports, reason: rejectionReasons },
    startsAtZero: { reason: transientRejectionReasons },
  },
  siphon_receiver_spool_files: {
    kind: 'counter',
    unit: '{file}',
    description: 'Requests that services left in files when they ended, because nothing listened, by outcome',
    labels: { receiver, outcome: spoolOutcomes },
    startsAtZero: { outcome: spoolOutcomes },
  },
});

export const processorMetrics = sidecarMetrics({
  otelcol_processor_incoming_items: {
    kind: 'counter',
    unit: '{item}',
    description: 'Number of items passed to the processor',
    labels: { processor, otel_signal: signals },
    startsAtZero: {},
  },
  otelcol_processor_outgoing_items: {
    kind: 'counter',
    unit: '{item}',
    description: 'Number of items emitted from the processor',
    labels: { processor, otel_signal: signals },
    startsAtZero: {},
  },
  otelcol_processor_memory_limiter_accepted_metric_points: {
    kind: 'counter',
    unit: '{point}',
    description: 'Metric points that the memory limiter accepted',
    labels: { processor },
    startsAtZero: {},
  },
  otelcol_processor_memory_limiter_refused_metric_points: {
    kind: 'counter',
    unit: '{point}',
    description: 'Metric points that the memory limiter refused because memory was above its limit',
    labels: { processor },
    startsAtZero: {},
  },
  otelcol_processor_memory_limiter_accepted_spans: {
    kind: 'counter',
    unit: '{span}',
    description: 'Spans that the memory limiter accepted',
    labels: { processor },
    startsAtZero: {},
  },
  otelcol_processor_memory_limiter_refused_spans: {
    kind: 'counter',
    unit: '{span}',
    description: 'Spans that the memory limiter refused because memory was above its limit',
    labels: { processor },
    startsAtZero: {},
  },
  otelcol_processor_memory_limiter_accepted_log_records: {
    kind: 'counter',
    unit: '{record}',
    description: 'Log records that the memory limiter accepted',
    labels: { processor },
    startsAtZero: {},
  },
  otelcol_processor_memory_limiter_refused_log_records: {
    kind: 'counter',
    unit: '{record}',
    description: 'Log records that the memory limiter refused because memory was above its limit',
    labels: { processor },
    startsAtZero: {},
  },
  otelcol_processor_probabilistic_sampler_count_traces_sampled: {
    kind: 'counter',
    unit: '{span}',
    description: 'Spans that the probabilistic sampler decided about',
    labels: { processor, policy: samplingPolicies, sampled: ['true', 'false'] },
  },
  otelcol_processor_tail_sampling_global_count_traces_sampled: {
    kind: 'counter',
    unit: '{trace}',
    description: 'Traces that tail sampling decided about',
    labels: { processor, sampled: ['true', 'false'], decision: samplingVerdicts },
  },
  otelcol_processor_tail_sampling_count_traces_sampled: {
    kind: 'counter',
    unit: '{trace}',
    description: 'Decisions of each policy of tail sampling',
    labels: { processor, policy: samplingPolicy, sampled: ['true', 'false'], decision: samplingVerdicts },
  },
  otelcol_processor_tail_sampling_early_releases_from_cache_decision: {
    kind: 'counter',
    unit: '{span}',
    description: 'Spans that arrived after the decision about their trace, and followed it',
    labels: { processor, sampled: ['true', 'false'] },
    startsAtZero: { sampled: ['true', 'false'] },
  },
  otelcol_processor_tail_sampling_traces_dropped_too_large: {
    kind: 'counter',
    unit: '{trace}',
    description: 'Traces that were dropped because they are larger than `maximum_trace_size_bytes`',
    labels: { processor },
    startsAtZero: {},
  },
  otelcol_processor_tail_sampling_sampling_traces_on_memory: {
    kind: 'gauge',
    unit: '{trace}',
    description: 'Traces that tail sampling holds because they are not decided',
    labels: { processor },
  },
  otelcol_processor_tail_sampling_sampling_policy_evaluation_error: {
    kind: 'counter',
    unit: '{trace}',
    description:
      'Traces with more values than patterns may be compared with, so that tail sampling decided by the first ones',
    labels: { processor },
    startsAtZero: {},
  },
  siphon_tail_sampling_held_bytes: {
    kind: 'gauge',
    unit: 'By',
    description: 'Memory of the traces that tail sampling holds',
    labels: { processor },
  },
  siphon_tail_sampling_early_decisions: {
    kind: 'counter',
    unit: '{trace}',
    description: 'Traces that tail sampling decided about before their time',
    labels: { processor, reason: earlyDecisionReasons },
    startsAtZero: { reason: earlyDecisionReasons },
  },
  siphon_tail_sampling_removed_exemplars: {
    kind: 'counter',
    unit: '{exemplar}',
    description: 'Exemplars that tail sampling removed because their trace is not kept, each time they were sent',
    labels: { processor, reason: removedExemplarReasons },
    startsAtZero: { reason: removedExemplarReasons },
  },
  siphon_exemplars_decisions: {
    kind: 'counter',
    unit: '{bucket}',
    description: 'Buckets of series that a span may belong to, by what the exemplars processor decided',
    labels: { processor, outcome: exemplarOutcomes },
    startsAtZero: { outcome: exemplarOutcomes },
  },
  siphon_exemplars_dropped_spans: {
    kind: 'counter',
    unit: '{span}',
    description: 'Spans that the exemplars processor could not remember; the spans themselves are passed on',
    labels: { processor, reason: unlinkedSpanReasons },
    startsAtZero: { reason: unlinkedSpanReasons },
  },
  otelcol_processor_batch_batch_size_trigger_send: {
    kind: 'counter',
    unit: '{batch}',
    description: 'Number of times the batch was sent due to a size trigger',
    labels: { processor },
    startsAtZero: {},
  },
  otelcol_processor_batch_timeout_trigger_send: {
    kind: 'counter',
    unit: '{batch}',
    description: 'Number of times the batch was sent due to a timeout trigger',
    labels: { processor },
    startsAtZero: {},
  },
  otelcol_processor_batch_batch_send_size: {
    kind: 'histogram',
    unit: '{item}',
    description: 'Number of units in the batch',
    labels: { processor },
    buckets: [10, 100, 1000, 5000, 8192, 10_000, 50_000, 100_000],
  },
  otelcol_processor_batch_batch_send_size_bytes: {
    kind: 'histogram',
    unit: 'By',
    description: 'Number of bytes in batch that was sent',
    labels: { processor },
    buckets: [1e3, 1e4, 1e5, 5e5, 1e6, 5e6, 1e7],
  },
});

export const connectorMetrics = sidecarMetrics({
  siphon_span_metrics_skipped_spans: {
    kind: 'counter',
    unit: '{span}',
    description: 'Spans that the span_metrics connector did not count',
    labels: { connector, reason: uncountedSpanReasons },
    startsAtZero: { reason: uncountedSpanReasons },
  },
  siphon_span_metrics_overflow_spans: {
    kind: 'counter',
    unit: '{span}',
    description:
      'Spans that the span_metrics connector counted in an overflow series, because there was no room for theirs',
    labels: { connector },
    startsAtZero: {},
  },
});

const account: BudgetedLabel = {
  maxValues: 10,
  description: 'pipeline or exporter, for example `pipelines::traces`',
  fromConfiguration: true,
};

/** For each account: accepted = delivered + waiting + dropped. */
export const ledgerMetrics = sidecarMetrics({
  siphon_ledger_accepted_items: {
    kind: 'counter',
    unit: '{item}',
    description: 'Items that a pipeline or exporter accepted, also those that an exporter found in its storage',
    labels: { account, otel_signal: signals },
  },
  siphon_ledger_delivered_items: {
    kind: 'counter',
    unit: '{item}',
    description: 'Accepted items that a pipeline passed on to its exporters, or an exporter to its destination',
    labels: { account, otel_signal: signals },
  },
  siphon_ledger_waiting_items: {
    kind: 'gauge',
    unit: '{item}',
    description: 'Accepted items that wait in processors or queues',
    labels: { account, otel_signal: signals },
  },
  siphon_ledger_dropped_items: {
    kind: 'counter',
    unit: '{item}',
    description: 'Accepted items that are lost',
    labels: { account, otel_signal: signals, reason: ledgerReasons },
  },
  siphon_ledger_difference_items: {
    kind: 'gauge',
    unit: '{item}',
    description: 'Accepted items that are neither delivered, waiting nor dropped; other than 0 for longer is a bug',
    labels: { account, otel_signal: signals },
  },
});

export const deliveryMetrics = sidecarMetrics({
  otelcol_exporter_sent_metric_points: {
    kind: 'counter',
    unit: '{point}',
    description: 'Number of metric points successfully sent to destination',
    labels: { exporter },
    startsAtZero: {},
  },
  otelcol_exporter_send_failed_metric_points: {
    kind: 'counter',
    unit: '{point}',
    description: 'Number of metric points in failed attempts to send to destination',
    labels: { exporter },
    startsAtZero: {},
  },
  otelcol_exporter_enqueue_failed_metric_points: {
    kind: 'counter',
    unit: '{point}',
    description: 'Number of metric points failed to be added to the sending queue',
    labels: { exporter },
    startsAtZero: {},
  },
  otelcol_exporter_sent_spans: {
    kind: 'counter',
    unit: '{span}',
    description: 'Number of spans successfully sent to destination',
    labels: { exporter },
    startsAtZero: {},
  },
  otelcol_exporter_send_failed_spans: {
    kind: 'counter',
    unit: '{span}',
    description: 'Number of spans in failed attempts to send to destination',
    labels: { exporter },
    startsAtZero: {},
  },
  otelcol_exporter_enqueue_failed_spans: {
    kind: 'counter',
    unit: '{span}',
    description: 'Number of spans failed to be added to the sending queue',
    labels: { exporter },
    startsAtZero: {},
  },
  otelcol_exporter_sent_log_records: {
    kind: 'counter',
    unit: '{record}',
    description: 'Number of log records successfully sent to destination',
    labels: { exporter },
    startsAtZero: {},
  },
  otelcol_exporter_send_failed_log_records: {
    kind: 'counter',
    unit: '{record}',
    description: 'Number of log records in failed attempts to send to destination',
    labels: { exporter },
    startsAtZero: {},
  },
  otelcol_exporter_enqueue_failed_log_records: {
    kind: 'counter',
    unit: '{record}',
    description: 'Number of log records failed to be added to the sending queue',
    labels: { exporter },
    startsAtZero: {},
  },
  otelcol_exporter_queue_size: {
    kind: 'gauge',
    unit: '{place}',
    description: 'Current size of the sending queue, in the unit of its capacity',
    labels: { exporter, data_type: signals },
  },
  otelcol_exporter_queue_capacity: {
    kind: 'gauge',
    unit: '{place}',
    description: 'Fixed capacity of the sending queue, in requests, items or bytes as its sizer is set',
    labels: { exporter, data_type: signals },
  },
  siphon_queue_corrupt_entries: {
    kind: 'counter',
    unit: '{entry}',
    description:
      'Entries of a sending queue on disk that cannot be read; their items count as dropped if their number is known',
    labels: { exporter },
    startsAtZero: {},
  },
  siphon_dropped_items: {
    kind: 'counter',
    unit: '{item}',
    description: 'Items that siphon accepted and then lost',
    labels: { exporter, processor, otel_signal: signals, reason: failureReasons },
    startsAtZero: { reason: transientFailureReasons },
  },
});
