/** Gives the last telemetry a bounded chance to leave, and changes nothing else about how the process ends. */

export interface EndSettings {
  /** Sends what is left; may be called again. May reject. */
  readonly flush: () => Promise<unknown>;
  /** The longest that the end of the process is put off. */
  readonly timeoutMs: number;
}

/** More than one empty turn of a busy event loop takes, and less than work worth a second flush. */
const AT_ONCE_MS = 50;

/**
 * An empty event loop and the signals SIGTERM and SIGINT each flush first. A signal then kills the process as it would
 * have, unless the application listens to it, in which case it decides. `process.exit` and a crash do not wait: what
 * was not yet exported is lost.
 */
export function flushAtEnd({ flush, timeoutMs }: EndSettings): void {
  const flushBounded = async (): Promise<void> => {
    const { promise: timeout, resolve } = Promise.withResolvers<void>();
    // Its timer is also what keeps the loop alive for the flush, which itself does not.
    const timer = setTimeout(resolve, timeoutMs);
    await Promise.race([flush().catch(ignoreUnsent), timeout]);
    clearTimeout(timer);
  };
  flushWhenIdle(flushBounded);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) flushOnSignal(signal, flushBounded);
}

/**
 * `beforeExit` comes again once the flush is through, and then the process ends. When it comes later than at once, the
 * application had work again, and that is flushed too.
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
 * The listener is away while others run, because libraries that clean up on a signal count the listeners to learn
 * whether it is theirs to end the process.
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

/** The sidecar is away and the process ends: there is nobody to tell and no time to wait. */
function ignoreUnsent(): void {
  return;
}
