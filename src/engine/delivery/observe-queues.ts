import { sidecarMetrics } from '../../metrics/self.ts';
import type { ComponentMetrics, Signal } from '../component.ts';

/** Reports the size and the capacity of an exporter's queues under the stock names. */
export function observeQueues(
  metrics: ComponentMetrics,
  queues: ReadonlyMap<Signal, { readonly size: number }>,
  capacity: number,
): void {
  metrics.observe(sidecarMetrics.otelcol_exporter_queue_size, (observe) => {
    for (const [signal, queue] of queues) observe(queue.size, { data_type: signal });
  });
  metrics.observe(sidecarMetrics.otelcol_exporter_queue_capacity, (observe) => {
    for (const signal of queues.keys()) observe(capacity, { data_type: signal });
  });
}
