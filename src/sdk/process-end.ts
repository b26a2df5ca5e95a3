/** Flushes the last telemetry within a time limit, and does not otherwise change how the process ends. */

export interface EndSettings {
  /** Sends the remaining telemetry. May be called again, also after the last time, and may reject. */
  readonly flush: (options: { readonly isLast: boolean }) => Promise<unknown>;
  /** Does the same while the event loop does not run: sends for so long, and keeps the rest in files until the deadline. */
  readonly flushNow: (sendMs: number, deadlineMs: number) => void;
  /** False if `flushNow` leaves a part that only `flush` can send. */
  readonly flushNowIsComplete: boolean;
  /** Maximum delay of the end of the process. */
  readonly timeoutMs: number;
}

/** The files for the rest take a few milliseconds. */
const SENDING_SHARE = 0.9;

/** Longer than one empty turn of a busy event loop, and shorter than work that needs a second flush. */
const AT_ONCE_MS = 50;

/** They end a process that has no listener. nodemon sends SIGUSR2, and a closed terminal SIGHUP. */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const;

/**
 * Flushes when the event loop is empty, on signals, and on `process.exit` and a crash. After the flush the signal ends the
 * process, unless the application handles the signal.
 */
export function flushAtEnd({ flush, flushNow, flushNowIsComplete, timeoutMs }: EndSettings): void {
  const flushBounded = async (): Promise<void> => {
    const { promise: timeout, resolve } = Promise.withResolvers<void>();
    // The timer keeps the event loop alive for the flush, which does not.
    const timer = setTimeout(resolve, timeoutMs * SENDING_SHARE);
    await Promise.race([flush({ isLast: true }).catch(ignoreUnsent), timeout]);
    clearTimeout(timer);
  };
  const idle = flushWhenIdle(flushBounded, flushNowIsComplete);
  const flushMeanwhile = (): void => void flush({ isLast: false }).catch(ignoreUnsent);
  const flushRest = (usedMs: number): void => {
    if (timeoutMs === 0) return;
    try {
      flushNow(timeoutMs * SENDING_SHARE - usedMs, performance.now() + timeoutMs - usedMs);
    } catch {
      ignoreUnsent();
    }
  };
  const flushToEnd = async (): Promise<void> => {
    const startedAtMs = performance.now();
    await flushBounded();
    // A signal ends the process without the event `exit`.
    flushRest(performance.now() - startedAtMs);
  };
  for (const signal of SIGNALS) flushOnSignal(signal, flushToEnd, flushMeanwhile);
  process.on('exit', () => flushRest(idle.delayMs()));
}

/**
 * Node emits `beforeExit` again after the flush, and then the process ends. If that event comes late, the application had
 * more work, which is flushed too. If the application listens to the event, it must not see it twice, so the flush is left
 * to the exit where that is possible.
 */
function flushWhenIdle(flush: () => Promise<void>, canFlushAtExit: boolean): { readonly delayMs: () => number } {
  let [startedAtMs, endedAtMs] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const hasJustFlushed = (): boolean => performance.now() - endedAtMs < AT_ONCE_MS;
  const onIdle = async (): Promise<void> => {
    const isSeen = process.listenerCount('beforeExit') > 1;
    if (hasJustFlushed() || (isSeen && canFlushAtExit)) return;
    startedAtMs = performance.now();
    await flush();
    endedAtMs = performance.now();
  };
  process.on('beforeExit', () => void onIdle());
  return { delayMs: () => (hasJustFlushed() ? endedAtMs - startedAtMs : 0) };
}

/**
 * Removes the listener while others run: libraries that clean up on a signal end the process only if they have the only
 * listener. If the application decides, the flush does not put off the end, because another flush follows there.
 */
function flushOnSignal(signal: NodeJS.Signals, flush: () => Promise<void>, flushMeanwhile: () => void): void {
  const listener = (): void => {
    process.off(signal, listener);
    if (process.listenerCount(signal) === 0) {
      void flush().then(() => process.kill(process.pid, signal));
      return;
    }
    process.nextTick(() => process.on(signal, listener));
    flushMeanwhile();
  };
  process.on(signal, listener);
}

/** Ignores a failed flush: the process ends, and a report could not be delivered. */
function ignoreUnsent(): void {
  return;
}
