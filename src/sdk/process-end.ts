/** Flushes the last telemetry within a time limit, and does not otherwise change how the process ends. */

export interface EndSettings {
  /** Sends the remaining telemetry. May be called again, and may reject. */
  readonly flush: () => Promise<unknown>;
  /** Maximum delay of the end of the process. */
  readonly timeoutMs: number;
}

/** Longer than one empty turn of a busy event loop, and shorter than work that needs a second flush. */
const AT_ONCE_MS = 50;

/**
 * Flushes when the event loop is empty, and on SIGTERM and SIGINT. After the flush the signal ends the process, unless
 * the application handles the signal. `process.exit` and a crash do not wait: telemetry that is not exported is lost.
 */
export function flushAtEnd({ flush, timeoutMs }: EndSettings): void {
  const flushBounded = async (): Promise<void> => {
    const { promise: timeout, resolve } = Promise.withResolvers<void>();
    // The timer keeps the event loop alive for the flush, which does not.
    const timer = setTimeout(resolve, timeoutMs);
    await Promise.race([flush().catch(ignoreUnsent), timeout]);
    clearTimeout(timer);
  };
  flushWhenIdle(flushBounded);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) flushOnSignal(signal, flushBounded);
}

/**
 * Node emits `beforeExit` again after the flush, and then the process ends. If that event comes late, the application had
 * more work, which is flushed too.
 */
function flushWhenIdle(flush: () => Promise<void>): void {
  let flushedAtMs = Number.NEGATIVE_INFINITY;
  const onIdle = async (): Promise<void> => {
    if (performance.now() - flushedAtMs < AT_ONCE_MS) return;
    await flush();
    flushedAtMs = performance.now();
  };
  process.on('beforeExit', () => void onIdle());
}

/**
 * Removes the listener while others run: libraries that clean up on a signal end the process only if they have the only
 * listener.
 */
function flushOnSignal(signal: NodeJS.Signals, flush: () => Promise<void>): void {
  const onSignal = async (): Promise<void> => {
    process.off(signal, listener);
    const applicationDecides = process.listenerCount(signal) > 0;
    if (applicationDecides) process.nextTick(() => process.on(signal, listener));
    await flush();
    if (!applicationDecides) process.kill(process.pid, signal);
  };
  const listener = (): void => void onSignal();
  process.on(signal, listener);
}

/** Ignores a failed flush: the process ends, and a report could not be delivered. */
function ignoreUnsent(): void {
  return;
}
