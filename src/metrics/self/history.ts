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
});
