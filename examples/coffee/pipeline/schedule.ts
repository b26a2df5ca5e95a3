import { setTimeout as sleep } from 'node:timers/promises';

/** Runs `job` again and again, `intervalMs` from start to start, never twice at once, until the signal. */
export async function repeat(job: () => Promise<void>, intervalMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const startedAt = performance.now();
    await job();
    await pause(Math.max(0, intervalMs - (performance.now() - startedAt)), signal);
  }
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
