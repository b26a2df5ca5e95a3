import type { LockSample, LockWait } from './sample.ts';

/** A wait as it is known now. Times are Unix milliseconds of the sidecar's clock. */
export interface Episode {
  /** Identifies the wait for this blocker. */
  readonly key: string;
  readonly wait: LockWait;
  readonly firstSeenMs: number;
  /** True if this blocker was there when the wait was first seen; otherwise it came later. */
  readonly isFirst: boolean;
  readonly lastSeenMs: number;
  /** When it was first seen to be over. */
  readonly endedBeforeMs?: number;
}

/** A long wait is reported at least this often. */
const MAX_PAUSE_MS = 60_000;

/**
 * Follows waits from sample to sample. Each is reported when it is first seen, whenever it has become twice as long, and at
 * its end: a wait of an hour is about seventy records.
 */
export class Episodes {
  #waiting = new Map<string, { readonly episode: Episode; readonly reportedMs: number }>();

  /** @returns what is to be reported after this sample. */
  observe({ waits, atMs }: Pick<LockSample, 'waits' | 'atMs'>): Episode[] {
    const before = this.#waiting;
    this.#waiting = new Map();
    const due: Episode[] = [];
    const seenBefore = new Set([...before.values()].map(({ episode }) => waitKey(episode.wait)));
    for (const wait of waits) {
      const key = keyOf(wait);
      const known = before.get(key);
      before.delete(key);
      const firstSeenMs = known?.episode.firstSeenMs ?? atMs;
      const isFirst = known?.episode.isFirst ?? !seenBefore.has(waitKey(wait));
      const episode = { key, wait, firstSeenMs, isFirst, lastSeenMs: atMs };
      const reportedMs = known?.reportedMs ?? -Infinity;
      const isDue = atMs - reportedMs >= Math.min(reportedMs - firstSeenMs, MAX_PAUSE_MS);
      if (isDue) due.push(episode);
      this.#waiting.set(key, { episode, reportedMs: isDue ? atMs : reportedMs });
    }
    for (const { episode } of before.values()) due.push({ ...episode, endedBeforeMs: atMs });
    return due;
  }

  /** Nothing is known about what happens until the next sample. */
  forget(): void {
    this.#waiting.clear();
  }
}

function keyOf(wait: LockWait): string {
  const { blocker } = wait;
  const blocking =
    'pid' in blocker ? [blocker.pid, blocker.startMs, blocker.transactionMs] : ['prepared', blocker.prepared];
  return [waitKey(wait), ...blocking].join(' ');
}

function waitKey({ waiter, sinceMs }: LockWait): string {
  return [waiter.pid, waiter.startMs, waiter.statementMs, sinceMs].join(' ');
}
