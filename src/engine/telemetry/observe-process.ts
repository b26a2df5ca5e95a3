import type { Instruments } from '../../metrics/instruments.ts';
import { sidecarMetrics } from '../../metrics/self.ts';

/** Reports what the sidecar's process uses, and its uncaught errors. The heap is V8's, where the stock Collector has Go's. */
export function observeProcess(metrics: Instruments, uncaughtErrors: () => number): void {
  metrics.observe(sidecarMetrics.siphon_uncaught_errors, (observe) => observe(uncaughtErrors()));
  metrics.observe(sidecarMetrics.otelcol_process_uptime, (observe) => observe(process.uptime()));
  metrics.observe(sidecarMetrics.otelcol_process_cpu_seconds, (observe) => observe(cpuSeconds()));
  metrics.observe(sidecarMetrics.otelcol_process_memory_rss, (observe) => observe(process.memoryUsage.rss()));
  metrics.observe(sidecarMetrics.otelcol_process_runtime_heap_alloc_bytes, (observe) => {
    const { heapUsed, external } = process.memoryUsage();
    observe(heapUsed + external);
  });
  metrics.observe(sidecarMetrics.otelcol_process_runtime_total_sys_memory_bytes, (observe) => {
    const { heapTotal, external } = process.memoryUsage();
    observe(heapTotal + external);
  });
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
