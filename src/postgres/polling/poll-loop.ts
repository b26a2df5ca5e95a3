import { concernsDatabase } from './poll-failure.ts';
import { firstRetryMs, nextPollMs, retryMs, sleep } from './schedule.ts';

/**
 * Polls until the signal aborts, one poll at a time: at the interval after a success, with backoff after a failure.
 *
 * @param poll resolves to the failure, if any, and never rejects.
 */
export async function pollRepeatedly(
  poll: (signal: AbortSignal) => Promise<unknown>,
  intervalMs: number,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 0; !signal.aborted;) {
    const startedAt = performance.now();
    const failure = await poll(signal);
    failures = failure ? failures + 1 : 0;
    const pauseMs = failure
      ? retryMs(failures, firstRetryMs(concernsDatabase(failure), intervalMs), intervalMs)
      : nextPollMs(intervalMs) - (performance.now() - startedAt);
    await sleep(Math.max(0, pauseMs), signal);
  }
}
