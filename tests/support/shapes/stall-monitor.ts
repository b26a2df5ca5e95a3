/**
 * Loaded with `--import` into a process under test. For each `begin` message it measures until the `end` message: the
 * longest time that the main thread computed between two turns of the event loop, and the memory. CPU time is the measure,
 * because other programs of the machine make real time useless.
 */
import { memoryUsage } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuUs } from './longest-stall.ts';

export interface StallReport {
  readonly longestStallMs: number;
  /** Beyond the memory at the beginning: what is resident, or what is in use, because freed memory may stay resident. */
  readonly extraMib: number;
}

const BYTES_PER_MIB = 1024 * 1024;
const MEMORY_INTERVAL_MS = 0.5;

let isMeasuring = false;
const base = { residentBytes: 0, usedBytes: 0 };
let extraBytes = 0;
let longestUs = 0;
let lastUs = 0;
let lastMemoryMs = 0;

process.on('message', (message) => {
  if (message === 'begin') void begin();
  else if (message === 'end') {
    isMeasuring = false;
    const report: StallReport = { longestStallMs: longestUs / 1000, extraMib: extraBytes / BYTES_PER_MIB };
    process.send?.(report);
  }
});

/** Buffers are freed in the background after a garbage collection. */
const FREE_MS = 20;

async function begin(): Promise<void> {
  for (let i = 0; i < 2; i++) {
    globalThis.gc?.();
    await sleep(FREE_MS);
  }
  isMeasuring = true;
  Object.assign(base, memory());
  extraBytes = 0;
  longestUs = 0;
  lastUs = cpuUs();
  setImmediate(turn);
  process.send?.('begun');
}

function turn(): void {
  if (!isMeasuring) return;
  const stallUs = cpuUs() - lastUs;
  longestUs = Math.max(longestUs, stallUs);
  if (performance.now() - lastMemoryMs > MEMORY_INTERVAL_MS || stallUs > 1000) {
    lastMemoryMs = performance.now();
    const { residentBytes, usedBytes } = memory();
    extraBytes = Math.max(extraBytes, residentBytes - base.residentBytes, usedBytes - base.usedBytes);
  }
  lastUs = cpuUs();
  setImmediate(turn);
}

function memory(): typeof base {
  const { rss, heapUsed, external } = memoryUsage();
  return { residentBytes: rss, usedBytes: heapUsed + external };
}
