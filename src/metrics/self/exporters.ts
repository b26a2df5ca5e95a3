/** The metrics of single exporters, in addition to those that the engine counts for all exporters. */
import { scrapePageDropReasons, sentryDropReasons, storeDropReasons } from '../reasons.ts';
import { exporter, sidecarMetrics, signals } from './sidecar-metric.ts';

/** The classes of traces, in the order in which they are evicted. A trace has the highest of its classes. */
export const traceClasses = ['ordinary', 'slow', 'error', 'exemplar'] as const;

const sentCategory = ['transaction', 'span', 'error'] as const;

/** Sentry's names. `log_item`: a log record that is not read as an error. */
const droppedCategory = [...sentCategory, 'log_item'] as const;

/** Prometheus sets `job` to that of the sidecar and would store the sender's as `exported_job`. */
const largestJobs = {
  // An estimate: a sidecar has one service. Eleven at most.
  maxValues: 1,
  description: 'the job of the sender; `other` for all but the ten largest',
  chosenByEmitter: true,
} as const;

export const exporterMetrics = sidecarMetrics({
  siphon_exporter_partial_success_rejected_items: {
    kind: 'counter',
    unit: '{item}',
    description: 'Items that the server refused in a response that otherwise accepted the request',
    labels: { exporter, otel_signal: signals },
  },
  siphon_prometheus_series: {
    kind: 'gauge',
    unit: '{series}',
    description:
      'Series on the scrape page, for each of the ten jobs with the most series, and for all other jobs together',
    labels: { exporter, exported_job: largestJobs },
  },
  siphon_prometheus_dropped_points: {
    kind: 'counter',
    unit: '{point}',
    description: 'Data points that are not on the scrape page',
    labels: { exporter, reason: scrapePageDropReasons },
    startsAtZero: { reason: scrapePageDropReasons },
  },
  siphon_prometheus_changed_labels: {
    kind: 'counter',
    unit: '{label}',
    description: 'Attributes of new series that were renamed or dropped because they are not valid labels',
    labels: { exporter, change: ['renamed', 'dropped'] },
  },
  siphon_prometheus_clock_set_points: {
    kind: 'counter',
    unit: '{point}',
    description: 'Data points that replaced a later value because a clock was set back',
    labels: { exporter },
  },
  siphon_sentry_sent_items: {
    kind: 'counter',
    unit: '{item}',
    description: 'Transactions, spans and errors that Sentry accepted',
    labels: { exporter, category: sentCategory },
    startsAtZero: { category: sentCategory },
  },
  siphon_sentry_dropped_items: {
    kind: 'counter',
    unit: '{item}',
    description: 'Transactions, spans, errors and log records that did not reach Sentry',
    labels: { exporter, category: droppedCategory, reason: sentryDropReasons },
  },
  siphon_sentry_held_spans: {
    kind: 'gauge',
    unit: '{span}',
    description: 'Spans that wait for the root span of their trace',
    labels: { exporter },
  },
  siphon_store_items: {
    kind: 'gauge',
    unit: '{item}',
    description: 'Spans and log records in the store',
    labels: { exporter, otel_signal: ['traces', 'logs'] },
  },
  siphon_store_size_bytes: {
    kind: 'gauge',
    unit: 'By',
    description: 'The memory that the store takes',
    labels: { exporter },
  },
  siphon_store_evicted_items: {
    kind: 'counter',
    unit: '{item}',
    description: 'Spans and log records that the store has forgotten because it was full, by the class of their traces',
    labels: { exporter, otel_signal: ['traces', 'logs'], trace_class: traceClasses },
    startsAtZero: { otel_signal: ['traces', 'logs'], trace_class: traceClasses },
  },
  siphon_store_dropped_items: {
    kind: 'counter',
    unit: '{item}',
    description: 'Spans that the store has not taken',
    labels: { exporter, otel_signal: ['traces'], reason: storeDropReasons },
    startsAtZero: { otel_signal: ['traces'], reason: storeDropReasons },
  },
  siphon_store_cut_parts: {
    kind: 'counter',
    unit: '{part}',
    description: 'Values, attributes, events and links that were too long or too many for the store',
    labels: { exporter },
    startsAtZero: {},
  },
});
