/**
 * Runs the work of this thread and returns the longest time that it computed between two turns of the event loop. CPU time
 * is the measure, because other programs of the machine make real time useless.
 */
export async function longestStallMs(work: () => Promise<void>): Promise<number> {
  let longestUs = 0;
  let lastUs = cpuUs();
  const turn = (): void => {
    longestUs = Math.max(longestUs, cpuUs() - lastUs);
    lastUs = cpuUs();
    next = setImmediate(turn);
  };
  let next = setImmediate(turn);
  try {
    await work();
  } finally {
    clearImmediate(next);
  }
  return longestUs / 1000;
}

/** The CPU time of this thread, in user mode and in the kernel. */
export function cpuUs(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}
