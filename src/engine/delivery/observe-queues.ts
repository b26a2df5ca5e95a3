import type { Meter } from '@opentelemetry/api';
import type { Signal } from '../component.ts';

/** Shows how full an exporter's queues are, under the stock names. */
export function observeQueues(
  meter: Meter,
  queues: ReadonlyMap<Signal, { readonly size: number }>,
  capacity: number,
): void {
  const size = meter.createObservableGauge('otelcol_exporter_queue_size');
  const limit = meter.createObservableGauge('otelcol_exporter_queue_capacity');
  meter.addBatchObservableCallback(
    (result) => {
      for (const [signal, queue] of queues) {
        result.observe(size, queue.size, { data_type: signal });
        result.observe(limit, capacity, { data_type: signal });
      }
    },
    [size, limit],
  );
}
