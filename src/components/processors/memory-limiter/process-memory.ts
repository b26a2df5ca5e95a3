import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The memory of a process as far as its owner can do something about it. */
export interface ProcessMemory {
  /** Bytes on V8's heap and in buffers outside it, garbage included. */
  usedBytes(): number;
  /** Stops the process for as long as a full collection takes. */
  collectGarbage(): void;
}

let gc: (() => void) | undefined;

export const processMemory: ProcessMemory = {
  usedBytes: () => {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  },
  collectGarbage: () => {
    gc ??= exposeGc();
    gc();
  },
};

/** V8 gives the function only to contexts that are made while the flag is set. */
function exposeGc(): () => void {
  setFlagsFromString('--expose-gc');
  const exposed = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  return exposed;
}
