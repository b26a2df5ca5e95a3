/** Gives the last telemetry a bounded chance to leave, and changes nothing else about how the process ends. */

export interface EndSettings {
  /** Sends what is left. May reject. */
  readonly flush: () => Promise<unknown>;
  /** The longest that the end of the process is put off. */
  readonly timeoutMs: number;
}

/**
 * An empty event loop and the signals SIGTERM and SIGINT each flush first. A signal then kills the process as it would
 * have, unless the application listens to it, in which case it decides. `process.exit` and a crash do not wait: what
 * was not yet exported is lost.
 */
export function flushAtEnd({ flush, timeoutMs }: EndSettings): void {
  const flushBounded = async (): Promise<void> => {
    const { promise: timeout, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    await Promise.race([flush().catch(ignoreUnsent), timeout]);
    clearTimeout(timer);
  };
  flushWhenIdle(flushBounded);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) flushOnSignal(signal, flushBounded);
}

/** `beforeExit` comes again after the flush has given the loop work, so it flushes once. */
function flushWhenIdle(flush: () => Promise<void>): void {
  process.once('beforeExit', () => {
    void flush().then(exitDespiteOpenSockets);
  });
}

/** An export that still hangs would hold the loop; nothing of the application was left when the flush began. */
function exitDespiteOpenSockets(): void {
  if (process.listenerCount('beforeExit') === 0) process.exit();
}

function flushOnSignal(signal: NodeJS.Signals, flush: () => Promise<void>): void {
  const listener = (): void => {
    // The application's own listener decides how the process ends; `beforeExit` flushes then.
    if (process.listenerCount(signal) > 1) return;
    process.off(signal, listener);
    void flush().then(() => process.kill(process.pid, signal));
  };
  process.on(signal, listener);
}

/** The sidecar is away and the process ends: there is nobody to tell and no time to wait. */
function ignoreUnsent(): void {
  return;
}
