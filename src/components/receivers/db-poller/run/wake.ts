import { concernsDatabase } from '../../../../postgres/polling/poll-failure.ts';
import { firstRetryMs, nextPollMs, retryMs, sleep } from '../../../../postgres/polling/schedule.ts';
import type { ReadOnlyPool } from '../../../../postgres/read-only-pool.ts';
import type { QueryPoller } from './query-poller.ts';

/**
 * Polls all queries together, closes the connections, and waits for the interval, so that the server may sleep. A round
 * that finds the database unavailable is repeated with backoff. Ends when the signal aborts, and never rejects.
 */
export async function wakeRepeatedly(
  pollers: readonly QueryPoller[],
  pool: ReadOnlyPool,
  { intervalMs, signal }: { readonly intervalMs: number; readonly signal: AbortSignal },
): Promise<void> {
  for (let failures = 0; !signal.aborted;) {
    const found = await Promise.all(pollers.map(async (poller) => await poller.runOnce(signal)));
    await pool.disconnect();
    failures = found.some(concernsDatabase) ? failures + 1 : 0;
    const pauseMs =
      failures > 0 ? retryMs(failures, firstRetryMs(true, intervalMs), intervalMs) : nextPollMs(intervalMs);
    await sleep(pauseMs, signal);
  }
}
