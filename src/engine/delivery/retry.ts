import { setTimeout as sleep } from 'node:timers/promises';
import type { PartialSuccess, RetrySettings } from '../component.ts';
import { PermanentError, RetryableError } from '../errors.ts';
import type { Incident } from '../incident.ts';
import type { Sender } from './delivery-queue.ts';

/** After so many failures between successes of others, the item itself is the problem, not the absence of the backend. */
const MAX_REFUSALS = 10;

/** The history of one item. */
interface Patience {
  readonly startedAtMs: number;
  /** The successes of all items before the last failure. */
  successes: number;
  /** Failures after which others succeeded before it failed again. */
  refusals: number;
}

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
  /** The number of successes so far, of any item. */
  #successes = 0;
  /** Aborts when shutdown begins and waits are cut short. */
  readonly #hurry = new AbortController();
  /** Aborts when no further attempt is allowed. */
  readonly #stop = new AbortController();

  constructor(next: Sender<Item>, settings: RetrySettings, incident: Incident) {
    this.#next = next;
    this.#settings = settings;
    this.#incident = incident;
  }

  async consume(batch: Item): Promise<PartialSuccess | void> {
    const patience: Patience = { startedAtMs: performance.now(), successes: this.#successes, refusals: 0 };
    for (let attempt = 0; ; attempt++) {
      try {
        const partial = await this.#next.consume(batch);
        this.#successes++;
        this.#incident.succeeded();
        return partial;
      } catch (error) {
        if (!(error instanceof RetryableError)) throw error;
        this.#incident.failed(error);
        if (this.#successes > patience.successes) patience.refusals++;
        patience.successes = this.#successes;
        await this.#wait(error, attempt, patience);
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

  async #wait(error: RetryableError, attempt: number, { startedAtMs, refusals }: Patience): Promise<void> {
    const waitMs = Math.max(backoffMs(this.#settings, attempt), error.retryAfterMs ?? 0);
    const { maxElapsedTimeMs, outlastsAbsence = false } = this.#settings;
    const elapsedMs = performance.now() - startedAtMs;
    const isAway = outlastsAbsence && refusals < MAX_REFUSALS;
    if (maxElapsedTimeMs > 0 && elapsedMs + waitMs > maxElapsedTimeMs && !isAway) {
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
