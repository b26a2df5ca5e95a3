import { getHeapStatistics } from 'node:v8';
import { processMemory } from './process-memory.ts';

/** Measures the process, and collects its garbage. */
export interface HeapOfProcess {
  /** Bytes that V8 holds, and those of objects. */
  readonly heap: () => { readonly heldBytes: number; readonly usedBytes: number };
  /** The CPU time since the last call, as a share of a core. The event loop of a machine with other work seems busy. */
  readonly cpuShare: () => number;
  /** Runs a full collection. */
  readonly collectGarbage: () => void;
}

/**
 * Gives memory back after a peak. V8 keeps the pages of a heap that was large, each with a few objects, for as long as
 * little is allocated: 75 MiB after two million rows were remembered, 27 MiB after two collections. So when the process
 * is idle and most of the heap is empty, it collects its garbage.
 */
export class IdleCollection implements Disposable {
  readonly #process: HeapOfProcess;
  readonly #timer: NodeJS.Timeout;
  /** The bytes that V8 held after the last collection. */
  #leftBytes = 0;

  /** For this process, until it ends. */
  static start(): IdleCollection {
    return new IdleCollection(thisProcess());
  }

  constructor(process: HeapOfProcess) {
    this.#process = process;
    this.#timer = setInterval(() => this.check(), CHECK_MS).unref();
  }

  check(): void {
    const isIdle = this.#process.cpuShare() < IDLE;
    const { heldBytes, usedBytes } = this.#process.heap();
    const emptyBytes = heldBytes - usedBytes;
    const isWorthIt = emptyBytes > MIN_EMPTY_BYTES && emptyBytes > usedBytes;
    // A second collection would not give back more.
    if (!isIdle || !isWorthIt || heldBytes <= this.#leftBytes) return;
    this.#process.collectGarbage();
    this.#leftBytes = this.#process.heap().heldBytes;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

const CHECK_MS = 10_000;
/** Work at this rate soon fills the heap again. */
const IDLE = 0.05;
/** A collection blocks the process for ten milliseconds or two. */
const MIN_EMPTY_BYTES = 16 * 1024 * 1024;

function thisProcess(): HeapOfProcess {
  let [before, beforeMs] = [process.cpuUsage(), performance.now()];
  return {
    heap: () => {
      const { total_physical_size: heldBytes, used_heap_size: usedBytes } = getHeapStatistics();
      return { heldBytes, usedBytes };
    },
    cpuShare: () => {
      const { user, system } = process.cpuUsage(before);
      const elapsedMs = performance.now() - beforeMs;
      [before, beforeMs] = [process.cpuUsage(), performance.now()];
      return (user + system) / 1000 / elapsedMs;
    },
    collectGarbage: () => processMemory.collectGarbage(),
  };
}
