import { setTimeout as delay } from 'node:timers/promises';

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;

/** The time from the start of one poll to the next: the interval ± 10 %, so that pollers do not synchronize. */
export function nextPollMs(intervalMs: number): number {
  return intervalMs * (0.9 + 0.2 * Math.random());
}

/** The pause after this many consecutive failures, at least one. Half of it is random. */
export function retryMs(failures: number, firstMs: number, intervalMs: number): number {
  const longest = Math.max(intervalMs, LONGEST_RETRY_MS);
  return Math.min(longest, firstMs * 2 ** Math.min(failures - 1, 30)) * (0.5 + 0.5 * Math.random());
}

/** The first retry comes sooner after a lost database than after a query that was too slow. */
export function firstRetryMs(concernsDatabase: boolean, intervalMs: number): number {
  return concernsDatabase ? Math.min(FIRST_RETRY_MS, intervalMs) : intervalMs;
}

/** Resolves early, without an error, when the signal aborts. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
