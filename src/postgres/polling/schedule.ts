import { setTimeout as delay } from 'node:timers/promises';

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;

/** How long after the start of a poll the next one starts; ten percent either way, so that pollers do not march in step. */
export function nextPollMs(intervalMs: number): number {
  return intervalMs * (0.9 + 0.2 * Math.random());
}

/** How long to wait after so many failures in a row, at least one; half of it is chance. */
export function retryMs(failures: number, firstMs: number, intervalMs: number): number {
  const longest = Math.max(intervalMs, LONGEST_RETRY_MS);
  return Math.min(longest, firstMs * 2 ** Math.min(failures - 1, 30)) * (0.5 + 0.5 * Math.random());
}

/** A database that went away is asked again sooner than a query that was too slow. */
export function firstRetryMs(concernsDatabase: boolean, intervalMs: number): number {
  return concernsDatabase ? Math.min(FIRST_RETRY_MS, intervalMs) : intervalMs;
}

/** Resolves early, without an error, when the signal aborts. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
