import { totalmem } from 'node:os';
import type { MemoryLimiterConfig } from './config.ts';

const MIB = 1024 * 1024;

/** The stock default of `spike_limit_mib`, as a share of the limit. */
const DEFAULT_SPIKE_SHARE = 0.2;

/**
 * Above this, data is refused. The space between it and the limit is for data in flight. `limit_mib` takes precedence
 * over `limit_percentage`, as in the stock Collector.
 */
export function softLimitBytes(config: MemoryLimiterConfig, totalBytes: number = availableBytes()): number {
  const byMib = config.limit_mib > 0;
  const hardBytes = byMib ? config.limit_mib * MIB : (totalBytes * config.limit_percentage) / 100;
  const spikeBytes = byMib ? config.spike_limit_mib * MIB : (totalBytes * config.spike_limit_percentage) / 100;
  return hardBytes - (spikeBytes || hardBytes * DEFAULT_SPIKE_SHARE);
}

/** The memory limit of the container, or without one the memory of the machine. */
function availableBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
