/**
 * `siphon-otel/instruments`: records the metrics of a pack in the service's process. A wrong name, label or value does not
 * compile. Everything goes to the OpenTelemetry API: to the SDK that the process has, or nowhere. Recording never throws
 * and never waits.
 */
import type { Metric } from '../metrics/metric.ts';
import { recorder, type RecorderOf } from './recorders.ts';

export { withBackoff, type BackoffOptions } from './backoff.ts';
export { createRunOperation, type RunOperation } from './operation.ts';
export { observeProcess } from './process-observer.ts';
export type { Count, Record as Recorder } from './recorders.ts';
export type { LabelValues, Metric } from '../metrics/metric.ts';

/** A function for each metric that the service records itself, by the key of the metric. */
export type PackInstruments<Metrics extends Readonly<{ [name: string]: Metric }>> = {
  readonly [Name in keyof Metrics as Metrics[Name]['source'] extends 'sdk' ? Name : never]: RecorderOf<Metrics[Name]>;
};

/**
 * Returns a function for each metric of source `sdk`.
 *
 * @example
 *   const record = instruments(shopMetrics);
 *   record.orders_total({ channel: 'web' });
 *   record.payment_duration_seconds({ provider: 'card' }, 0.2);
 */
export function instruments<const Metrics extends Readonly<{ [name: string]: Metric }>>(
  metrics: Metrics,
): PackInstruments<Metrics> {
  const recorded = Object.entries(metrics).filter(([, { source }]) => source === 'sdk');
  return Object.fromEntries(recorded.map(([name, metric]) => [name, recorder(metric)])) as PackInstruments<Metrics>;
}
