/** Reports what the process uses, read only when metrics are collected. */
import { availableParallelism, totalmem } from 'node:os';
import { performance, type EventLoopUtilization } from 'node:perf_hooks';
import { metrics } from '@opentelemetry/api';
import { Instruments } from '../metrics/instruments.ts';
import type { LabelValues } from '../metrics/metric.ts';
import { serviceMetrics } from '../metrics/service.ts';
import { INSTRUMENTATION_SCOPE } from './recorders.ts';

const OBSERVED = Symbol.for('siphon-otel.process-observed');

/**
 * Registers `memory_usage_bytes`, `system_resources_usage` and `service_start_timestamp_seconds` with the current meter
 * provider; later calls do nothing.
 * The preload calls it. A service that sets up its own SDK calls it afterwards.
 */
export function observeProcess(): void {
  const registry = globalThis as { [OBSERVED]?: true };
  if (registry[OBSERVED] === true) return;
  registry[OBSERVED] = true;
  const instruments = new Instruments(metrics.getMeter(INSTRUMENTATION_SCOPE), []);
  instruments.observe(serviceMetrics.service_start_timestamp_seconds, (observe) => {
    observe(performance.timeOrigin / 1000, {});
  });
  observeMemory(instruments);
  observeResources(instruments);
}

function observeMemory(instruments: Instruments): void {
  instruments.observe(serviceMetrics.memory_usage_bytes, (observe) => {
    const usage = process.memoryUsage();
    const bytes: { readonly [Component in MemoryComponent]: number } = {
      rss: usage.rss,
      heap_used: usage.heapUsed,
      heap_total: usage.heapTotal,
      external: usage.external,
      array_buffers: usage.arrayBuffers,
    };
    for (const [component, value] of entries(bytes)) observe(value, { component });
  });
}

/** Shares of CPU and event loop are those since the previous collection. */
function observeResources(instruments: Instruments): void {
  let cpu = process.cpuUsage();
  let atMs = performance.now();
  let eventLoop: EventLoopUtilization = performance.eventLoopUtilization();
  instruments.observe(serviceMetrics.system_resources_usage, (observe) => {
    const nowMs = performance.now();
    const used = process.cpuUsage(cpu);
    const availableMs = (nowMs - atMs) * availableParallelism();
    const utilization = performance.eventLoopUtilization(eventLoop).utilization;
    const shares: { readonly [Name in Resource]: number } = {
      cpu: (used.user + used.system) / 1000 / availableMs,
      memory: process.memoryUsage.rss() / availableMemoryBytes(),
      event_loop: utilization,
    };
    for (const [resource, value] of entries(shares)) observe(value, { resource });
    cpu = process.cpuUsage();
    atMs = nowMs;
    eventLoop = performance.eventLoopUtilization();
  });
}

/** The limit of the container, or the memory of the machine if that is less. */
function availableMemoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

type MemoryComponent = LabelValues<typeof serviceMetrics.memory_usage_bytes>['component'];
type Resource = LabelValues<typeof serviceMetrics.system_resources_usage>['resource'];

function entries<Key extends string>(values: Readonly<{ [Name in Key]: number }>): [Key, number][] {
  return Object.entries(values) as [Key, number][];
}
