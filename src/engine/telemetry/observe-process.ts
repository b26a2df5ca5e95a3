import { getHeapStatistics } from 'node:v8';
import type { Instruments } from '../../metrics/instruments.ts';
import { sidecarMetrics } from '../../metrics/self.ts';

/** Counts of the process that only the command knows. */
export interface ProcessObservations {
  /** The number of uncaught errors so far. */
  readonly uncaughtErrors: () => number;
  /** The number of log lines so far that could not be written. */
  readonly lostLogLines: () => number;
  /** The number of log lines so far that were suppressed. */
  readonly suppressedLogLines: () => number;
}

const NONE: ProcessObservations = { uncaughtErrors: () => 0, lostLogLines: () => 0, suppressedLogLines: () => 0 };

/** Reports what the sidecar's process uses, its uncaught errors and its missing log lines. The heap is V8's, where the stock Collector has Go's. */
export function observeProcess(
  metrics: Instruments,
  { uncaughtErrors, lostLogLines, suppressedLogLines }: ProcessObservations = NONE,
): void {
  metrics.observe(sidecarMetrics.siphon_uncaught_errors, (observe) => observe(uncaughtErrors()));
  metrics.observe(sidecarMetrics.siphon_log_lines_lost, (observe) => observe(lostLogLines()));
  metrics.observe(sidecarMetrics.siphon_log_lines_suppressed, (observe) => observe(suppressedLogLines()));
  metrics.observe(sidecarMetrics.otelcol_process_uptime, (observe) => observe(process.uptime()));
  metrics.observe(sidecarMetrics.otelcol_process_cpu_seconds, (observe) => observe(cpuSeconds()));
  metrics.observe(sidecarMetrics.otelcol_process_memory_rss, (observe) => {
    const rss = residentBytes();
    if (rss !== undefined) observe(rss);
  });
  metrics.observe(sidecarMetrics.otelcol_process_runtime_heap_alloc_bytes, (observe) => {
    const { used_heap_size, external_memory } = getHeapStatistics();
    observe(used_heap_size + external_memory);
  });
  metrics.observe(sidecarMetrics.otelcol_process_runtime_total_sys_memory_bytes, (observe) => {
    const { total_heap_size, external_memory } = getHeapStatistics();
    observe(total_heap_size + external_memory);
  });
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Undefined if the process has no free file descriptor, which Linux needs for this. */
function residentBytes(): number | undefined {
  try {
    return process.memoryUsage.rss();
  } catch {
    return undefined;
  }
}
