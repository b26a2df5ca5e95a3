/** The metrics of the `metrics_history` extension. */
import { extension, sidecarMetrics } from './sidecar-metric.ts';

export const historyMetrics = sidecarMetrics({
  siphon_history_series: {
    kind: 'gauge',
    unit: '{series}',
    description: 'Series in the history, including those that have ended within its length',
    labels: { extension },
  },
  siphon_history_left_out_series: {
    kind: 'gauge',
    unit: '{series}',
    description: 'Series that are not recorded, because `max_bytes` has no room for them',
    labels: { extension },
  },
  siphon_history_bytes: {
    kind: 'gauge',
    unit: 'By',
    description: 'Memory of the history: samples, labels and what is not compressed yet',
    labels: { extension },
  },
  siphon_history_length_seconds: {
    kind: 'gauge',
    unit: 's',
    description: 'Time between the oldest and the newest sample',
    labels: { extension },
  },
  siphon_rules: {
    kind: 'gauge',
    unit: '{rule}',
    description: 'Recording and alerting rules that the sidecar has',
    labels: { extension },
  },
  siphon_rules_failing: {
    kind: 'gauge',
    unit: '{rule}',
    description: 'Rules whose latest evaluation failed',
    labels: { extension },
  },
  siphon_rules_missed_evaluations: {
    kind: 'counter',
    unit: '{evaluation}',
    description: 'Evaluations that were left out, because the one before was not finished',
    labels: { extension },
  },
  siphon_rules_duration_seconds: {
    kind: 'gauge',
    unit: 's',
    description: 'Time that the latest evaluation of all rules took, including waits for other work',
    labels: { extension },
  },
  siphon_rules_bytes: {
    kind: 'gauge',
    unit: 'By',
    description: 'Memory for what rules have written, and for series that they read further back than the history goes',
    labels: { extension },
  },
  siphon_rules_left_out_series: {
    kind: 'gauge',
    unit: '{series}',
    description: 'Series of rules that are not kept, because `rules::max_bytes` has no room for them',
    labels: { extension },
  },
  siphon_rules_notifications_sent: {
    kind: 'counter',
    unit: '{alert}',
    description: 'Alerts that a receiver has accepted, repetitions included',
    labels: { extension },
  },
  siphon_rules_notifications_failed: {
    kind: 'counter',
    unit: '{alert}',
    description: 'Alerts that a receiver has not accepted, at each attempt',
    labels: { extension },
  },
});
