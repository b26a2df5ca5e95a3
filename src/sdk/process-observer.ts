/** What the process itself uses, read when metrics are collected and at no other time. */
import { availableParallelism, totalmem } from 'node:os';
import { performance, type EventLoopUtilization } from 'node:perf_hooks';
import { metrics } from '@opentelemetry/api';
import { pipelineMetrics } from '../packs/scrape-pipeline/pipeline-metrics.ts';
import { INSTRUMENTATION_SCOPE, optionsOf } from './instruments.ts';

const OBSERVED = Symbol.for('siphon-otel.process-observed');

/**
 * Registers `memory_usage_bytes` and `system_resources_usage` with the provider that is registered now; later calls do
 * nothing. The preload calls it; a service that sets up its own SDK calls it after that.
 */
export function observeProcess(): void {
  const registry = globalThis as { [OBSERVED]?: true };
  if (registry[OBSERVED] === true) return;
  registry[OBSERVED] = true;
  observeMemory();
  observeResources();
}

function observeMemory(): void {
  const metric = pipelineMetrics.memory_usage_bytes;
  gauge(metric).addCallback((result) => {
    const usage = process.memoryUsage();
    const bytes: { readonly [Component in (typeof metric.labels.component)[number]]: number } = {
      rss: usage.rss,
      heap_used: usage.heapUsed,
      heap_total: usage.heapTotal,
      external: usage.external,
      array_buffers: usage.arrayBuffers,
    };
    for (const [component, value] of Object.entries(bytes)) result.observe(value, { component });
  });
}

/** Shares of CPU and event loop are those since the previous collection. */
function observeResources(): void {
  const metric = pipelineMetrics.system_resources_usage;
  let cpu = process.cpuUsage();
  let atMs = performance.now();
  let eventLoop: EventLoopUtilization = performance.eventLoopUtilization();
  gauge(metric).addCallback((result) => {
    const nowMs = performance.now();
    const used = process.cpuUsage(cpu);
    const availableMs = (nowMs - atMs) * availableParallelism();
    const utilization = performance.eventLoopUtilization(eventLoop).utilization;
    const shares: { readonly [Resource in (typeof metric.labels.resource)[number]]: number } = {
      cpu: (used.user + used.system) / 1000 / availableMs,
      memory: process.memoryUsage.rss() / availableMemoryBytes(),
      event_loop: utilization,
    };
    for (const [resource, value] of Object.entries(shares)) result.observe(value, { resource });
    cpu = process.cpuUsage();
    atMs = nowMs;
    eventLoop = performance.eventLoopUtilization();
  });
}

/** What a container may use, where that is less than what the machine has. */
function availableMemoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

function gauge(metric: typeof pipelineMetrics.memory_usage_bytes | typeof pipelineMetrics.system_resources_usage) {
  return metrics.getMeter(INSTRUMENTATION_SCOPE).createObservableGauge(metric.name, optionsOf(metric));
}
