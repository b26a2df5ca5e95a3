import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The memory of this process that garbage collection can reduce, garbage included. */
export interface MemoryParts {
  /** Bytes of the pages of V8's heap. */
  readonly heapBytes: number;
  /** Bytes of objects on these pages. */
  readonly objectBytes: number;
  /** Bytes of buffers outside of the heap: only a collection of the whole heap frees old ones. */
  readonly bufferBytes: number;
}

/** Works without file descriptors, while `process.memoryUsage()` reads a file. */
export function memoryParts(): MemoryParts {
  const heap = getHeapStatistics();
  return {
    heapBytes: heap.total_physical_size,
    objectBytes: heap.used_heap_size,
    bufferBytes: heap.external_memory,
  };
}

/** The memory of a process that garbage collection can reduce. */
export interface ProcessMemory {
  /** Bytes on V8's heap and in buffers outside it, garbage included. */
  usedBytes(): number;
  /** Runs a full collection. Blocks the process while it runs. */
  collectGarbage(): void;
}

let gc: (() => void) | undefined;

export const processMemory: ProcessMemory = {
  usedBytes: () => {
    const { objectBytes, bufferBytes } = memoryParts();
    return objectBytes + bufferBytes;
  },
  collectGarbage: () => {
    gc ??= exposeGc();
    gc();
  },
};

/** V8 exposes the function only to contexts that are created while the flag is set. */
function exposeGc(): () => void {
  setFlagsFromString('--expose-gc');
  const exposed = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  return exposed;
}
