import { setTimeout as sleep } from 'node:timers/promises';
import type { RetrySettings } from '../component.ts';
import { PermanentError, RetryableError } from '../errors.ts';
import type { Incident } from '../incident.ts';
import type { Sender } from './sending-queue.ts';

/** The longest wait of a Node timer. */
const MAX_WAIT_MS = 2 ** 31 - 1;

/**
 * Repeats attempts that fail with `RetryableError`, with exponential backoff and jitter, like the stock
 * `retry_on_failure`. It rejects with a final error: a `PermanentError` with the code of the last attempt.
 */
export class Retry<Item> implements Sender<Item> {
  readonly #next: Sender<Item>;
  readonly #settings: RetrySettings;
  readonly #incident: Incident;
  /** Aborts when shutdown begins and waits are cut short. */
  readonly #hurry = new AbortController();
  /** Aborts when no further attempt is allowed. */
  readonly #stop = new AbortController();

  constructor(next: Sender<Item>, settings: RetrySettings, incident: Incident) {
    this.#next = next;
    this.#settings = settings;
    this.#incident = incident;
  }

  async consume(batch: Item): Promise<void> {
    const startedAtMs = performance.now();
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#next.consume(batch);
        this.#incident.succeeded();
        return;
      } catch (error) {
        if (!(error instanceof RetryableError)) throw error;
        this.#incident.failed(error);
        await this.#wait(error, attempt, startedAtMs);
      }
    }
  }

  /** Cuts running backoffs short once, and gives up when the deadline aborts. */
  stopBy(deadline: AbortSignal): void {
    const stop = (): void => this.#stop.abort();
    if (deadline.aborted) stop();
    else deadline.addEventListener('abort', stop, { once: true });
    this.#hurry.abort();
  }

  async #wait(error: RetryableError, attempt: number, startedAtMs: number): Promise<void> {
    const waitMs = Math.max(backoffMs(this.#settings, attempt), error.retryAfterMs ?? 0);
    const { maxElapsedTimeMs } = this.#settings;
    const elapsedMs = performance.now() - startedAtMs;
    if (maxElapsedTimeMs > 0 && elapsedMs + waitMs > maxElapsedTimeMs) {
      throw new PermanentError(error.code, `gave up after ${Math.round(elapsedMs)} ms: ${error.message}`, {
        cause: error,
      });
    }
    await this.#sleep(waitMs, error.retryAfterMs === undefined);
    if (this.#stop.signal.aborted) {
      throw new PermanentError('shutdown', 'not sent before the end of the shutdown', { cause: error });
    }
  }

  /** A pause that the other side asked for is not cut short. */
  async #sleep(waitMs: number, mayHurry: boolean): Promise<void> {
    const signals = [this.#stop.signal];
    if (mayHurry && !this.#hurry.signal.aborted) signals.push(this.#hurry.signal);
    try {
      await sleep(Math.min(waitMs, MAX_WAIT_MS), undefined, { signal: AbortSignal.any(signals) });
    } catch (error) {
      if (!signals.some(({ aborted }) => aborted)) throw error;
    }
  }
}

/** `initial × multiplier^attempt`, at most `max`, spread by ± `randomizationFactor`. */
export function backoffMs(settings: RetrySettings, attempt: number, random: () => number = Math.random): number {
  const { initialIntervalMs, maxIntervalMs, multiplier, randomizationFactor } = settings;
  const intervalMs = Math.min(initialIntervalMs * multiplier ** attempt, maxIntervalMs);
  return intervalMs * (1 + randomizationFactor * (2 * random() - 1));
}
