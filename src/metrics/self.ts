/**
 * The metrics of the sidecar about itself, on its own page (port 8888). That page keeps the names of the instruments: the
 * stock Collector's where it has the metric, otherwise `siphon_*`.
 */
import { dbPollerMetrics, sqlqueryMetrics } from './self/database.ts';
import { exporterMetrics } from './self/exporters.ts';
import { historyMetrics } from './self/history.ts';
import {
  connectorMetrics,
  deliveryMetrics,
  ledgerMetrics,
  processorMetrics,
  receiverMetrics,
} from './self/pipelines.ts';
import { sidecarProcessMetrics } from './self/process.ts';

export { traceClasses } from './self/exporters.ts';
export { transports } from './self/sidecar-metric.ts';

export const sidecarMetrics = {
  ...receiverMetrics,
  ...processorMetrics,
  ...connectorMetrics,
  ...ledgerMetrics,
  ...deliveryMetrics,
  ...exporterMetrics,
  ...historyMetrics,
  ...dbPollerMetrics,
  ...sqlqueryMetrics,
  ...sidecarProcessMetrics,
};
