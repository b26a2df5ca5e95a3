import type { Meter } from '@opentelemetry/api';

/** The stock `otelcol_process_*`, with V8's heap in the place of Go's, and the errors that would have ended a process. */
export function observeProcess(meter: Meter, uncaughtErrors: () => number): void {
  meter
    .createObservableCounter('siphon_uncaught_errors', { description: 'Errors that reached nobody who handles them' })
    .addCallback((result) => result.observe(uncaughtErrors()));
  meter
    .createObservableCounter('otelcol_process_uptime', { unit: 's', description: 'Uptime of the process' })
    .addCallback((result) => result.observe(process.uptime()));
  meter
    .createObservableCounter('otelcol_process_cpu_seconds', { unit: 's', description: 'User and system CPU time' })
    .addCallback((result) => result.observe(cpuSeconds()));
  meter
    .createObservableGauge('otelcol_process_memory_rss', { unit: 'By', description: 'Resident memory' })
    .addCallback((result) => result.observe(process.memoryUsage.rss()));
  const heapAlloc = meter.createObservableGauge('otelcol_process_runtime_heap_alloc_bytes', {
    unit: 'By',
    description: 'Heap in use, buffers included',
  });
  const totalSys = meter.createObservableGauge('otelcol_process_runtime_total_sys_memory_bytes', {
    unit: 'By',
    description: 'Memory that the runtime holds for its heap and buffers',
  });
  meter.addBatchObservableCallback(
    (result) => {
      const { heapUsed, heapTotal, external } = process.memoryUsage();
      result.observe(heapAlloc, heapUsed + external);
      result.observe(totalSys, heapTotal + external);
    },
    [heapAlloc, totalSys],
  );
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
