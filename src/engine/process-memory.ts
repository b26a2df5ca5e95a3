import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The memory of a process that garbage collection can reduce. */
export interface ProcessMemory {
  /** Bytes on V8's heap and in buffers outside it, garbage included. */
  usedBytes(): number;
  /** Runs a full collection. Blocks the process while it runs. */
  collectGarbage(): void;
}

let gc: (() => void) | undefined;

export const processMemory: ProcessMemory = {
  // `process.memoryUsage()` reads a file, and fails without file descriptors.
  usedBytes: () => {
    const { used_heap_size: heapBytes, external_memory: externalBytes } = getHeapStatistics();
    return heapBytes + externalBytes;
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
