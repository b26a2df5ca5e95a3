import { totalmem } from 'node:os';
import type { MemoryLimiterConfig } from './config.ts';

const MIB = 1024 * 1024;

/** The stock default of `spike_limit_mib`, as a share of the limit. */
const DEFAULT_SPIKE_SHARE = 0.2;

/** Above `softBytes`, data of senders is refused. The space between it and `hardBytes` is for data in flight. */
export interface MemoryLimits {
  readonly softBytes: number;
  readonly hardBytes: number;
}

/** `limit_mib` takes precedence over `limit_percentage`, as in the stock Collector. */
export function memoryLimits(config: MemoryLimiterConfig, totalBytes: number = availableBytes()): MemoryLimits {
  const byMib = config.limit_mib > 0;
  const hardBytes = byMib ? config.limit_mib * MIB : (totalBytes * config.limit_percentage) / 100;
  const spikeBytes = byMib ? config.spike_limit_mib * MIB : (totalBytes * config.spike_limit_percentage) / 100;
  return { hardBytes, softBytes: hardBytes - (spikeBytes || hardBytes * DEFAULT_SPIKE_SHARE) };
}

/** The memory limit of the container, or without one the memory of the machine. */
function availableBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
