import { memoryParts, processMemory, type MemoryParts } from './process-memory.ts';

/** Measures the process, and collects its garbage. */
export interface HeapOfProcess {
  readonly memory: () => MemoryParts;
  /** The CPU time since the last call, as a share of a core. The event loop of a machine with other work seems busy. */
  readonly cpuShare: () => number;
  /** Runs a full collection. */
  readonly collectGarbage: () => void;
}

/**
 * Gives memory back after a peak. V8 keeps the pages of a heap that was large, each with a few objects, for as long as
 * little is allocated: 75 MiB after two million rows were remembered, 27 MiB after two collections. So when the process
 * is idle and most of the heap is empty, or there are new buffers outside of it, such as bodies of requests, it collects its
 * garbage.
 */
export class IdleCollection implements Disposable {
  readonly #process: HeapOfProcess;
  readonly #timer: NodeJS.Timeout;
  /** The least memory since the last collection: a second one would not give it back. */
  #left: Pick<MemoryParts, 'heapBytes' | 'bufferBytes'> = { heapBytes: 0, bufferBytes: 0 };

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
    const { heapBytes, objectBytes, bufferBytes } = this.#process.memory();
    const emptyBytes = heapBytes - objectBytes;
    const isEmpty = emptyBytes > MIN_BYTES && emptyBytes > objectBytes && heapBytes > this.#left.heapBytes;
    const hasNewBuffers = bufferBytes > this.#left.bufferBytes + MIN_BYTES;
    this.#left = {
      heapBytes: Math.min(heapBytes, this.#left.heapBytes),
      bufferBytes: Math.min(bufferBytes, this.#left.bufferBytes),
    };
    if (!isIdle || !(isEmpty || hasNewBuffers)) return;
    this.#process.collectGarbage();
    this.#left = this.#process.memory();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

const CHECK_MS = 10_000;
/** Work at this rate soon fills the heap again. */
const IDLE = 0.05;
/** A collection blocks the process for ten milliseconds or two. */
const MIN_BYTES = 16 * 1024 * 1024;

function thisProcess(): HeapOfProcess {
  let [before, beforeMs] = [process.cpuUsage(), performance.now()];
  return {
    memory: memoryParts,
    cpuShare: () => {
      const { user, system } = process.cpuUsage(before);
      const elapsedMs = performance.now() - beforeMs;
      [before, beforeMs] = [process.cpuUsage(), performance.now()];
      return (user + system) / 1000 / elapsedMs;
    },
    collectGarbage: () => processMemory.collectGarbage(),
  };
}
