import { totalmem } from 'node:os';
import type { MemoryLimiterConfig } from './config.ts';

const MIB = 1024 * 1024;

/** The stock default of `spike_limit_mib`, as a share of the limit. */
const DEFAULT_SPIKE_SHARE = 0.2;

/** Above `softBytes`, data of senders is refused. The space between it and `hardBytes` is for data in flight. */
export interface MemoryLimits {
  readonly softBytes: number;
  readonly hardBytes: number;
  /** True if the container is too small for `limit_mib`. */
  readonly isReduced: boolean;
}

/** This part of a container is for Node itself, and for memory that was freed and is still resident. */
const CONTAINER_SHARE = 0.75;

/**
 * `limit_mib` takes precedence over `limit_percentage`, as in the stock Collector.
 *
 * @param container the memory limit of the container in bytes; undefined without one. A larger `limit_mib` would have no
 *   effect before the system ends the process, so it is reduced, and the spike limit with it.
 */
export function memoryLimits(config: MemoryLimiterConfig, container = containerBytes()): MemoryLimits {
  const byMib = config.limit_mib > 0;
  const totalBytes = container ?? totalmem();
  const hardBytes = byMib ? config.limit_mib * MIB : (totalBytes * config.limit_percentage) / 100;
  const spikeBytes = byMib ? config.spike_limit_mib * MIB : (totalBytes * config.spike_limit_percentage) / 100;
  const softBytes = hardBytes - (spikeBytes || hardBytes * DEFAULT_SPIKE_SHARE);
  const most = byMib && container !== undefined ? container * CONTAINER_SHARE : Infinity;
  const isReduced = hardBytes > most;
  return isReduced
    ? { hardBytes: most, softBytes: (softBytes * most) / hardBytes, isReduced }
    : { hardBytes, softBytes, isReduced };
}

/** At most the memory of the machine. */
function containerBytes(): number | undefined {
  const constrained = process.constrainedMemory();
  return constrained > 0 && constrained < totalmem() ? constrained : undefined;
}
