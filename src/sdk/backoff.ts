/** Slows down when a server or PostgreSQL asks for it. */
import { setTimeout as sleep } from 'node:timers/promises';
import pRetry from 'p-retry';
import type { LabelValues } from '../metrics/metric.ts';
import { serviceMetrics } from '../metrics/service.ts';
import { readRateLimit, type RateLimit } from './rate-limit.ts';
import { recorder } from './recorders.ts';

const countRateLimit = recorder(serviceMetrics.rate_limit_errors_total);

type RateLimitLabels = LabelValues<typeof serviceMetrics.rate_limit_errors_total>;

export interface BackoffOptions extends RateLimitLabels {
  /** Ends the wait; the promise rejects with the reason of the signal. */
  readonly signal?: AbortSignal;
  /** Maximum number of further attempts. Default 5. */
  readonly retries?: number;
  /** The first wait if the response has no `Retry-After`; each further wait is twice as long. Default 500. */
  readonly minDelayMs?: number;
  /** The longest wait. If the response asks for a longer one, there is no further attempt. Default 60,000. */
  readonly maxDelayMs?: number;
}

/**
 * Tries again while the response asks to slow down: a 429 or a 503 (as a `Response`, or as the `status` or `statusCode`
 * of an error), any failure with a `Retry-After`, PostgreSQL's 53300 and 53400. It waits for the time in `Retry-After`,
 * otherwise exponentially with full jitter. `rate_limit_errors_total` counts each such response. All other errors are
 * thrown immediately. After the last attempt the caller receives the last response, or the last error is thrown.
 */
export async function withBackoff<T>(options: BackoffOptions, attempt: () => Promise<T>): Promise<T> {
  const { service, signal, retries = 5, minDelayMs = 500, maxDelayMs = 60_000 } = options;
  const ask = async (): Promise<T> => {
    const answer = await attempt();
    const limit = readRateLimit(answer);
    if (limit !== undefined) throw new RateLimited(answer, limit);
    return answer;
  };
  try {
    return await pRetry(ask, {
      retries,
      // The delay of pRetry cannot depend on the error, so it is off and `shouldRetry` waits.
      minTimeout: 0,
      ...(signal === undefined ? {} : { signal }),
      onFailedAttempt: ({ error }) => {
        if (limitOf(error) !== undefined) countRateLimit({ service });
      },
      shouldRetry: async ({ error, attemptNumber }) => {
        const limit = limitOf(error);
        if (limit === undefined) return false;
        const delayMs = limit.retryAfterMs ?? jitteredMs(attemptNumber, minDelayMs, maxDelayMs);
        if (delayMs > maxDelayMs) return false;
        await discard(error);
        await sleep(delayMs, undefined, signal === undefined ? {} : { signal });
        return true;
      },
    });
  } catch (error) {
    if (error instanceof RateLimited) return error.answer as T;
    throw error;
  }
}

/** Carries a response that asks to slow down through the retry loop. */
class RateLimited extends Error {
  readonly answer: unknown;
  readonly limit: RateLimit;

  constructor(answer: unknown, limit: RateLimit) {
    super('the response asks to slow down');
    this.answer = answer;
    this.limit = limit;
  }
}

function limitOf(error: unknown): RateLimit | undefined {
  return error instanceof RateLimited ? error.limit : readRateLimit(error);
}

/** An unread body would keep its connection open. */
async function discard(error: unknown): Promise<void> {
  if (error instanceof RateLimited && error.answer instanceof Response) await error.answer.body?.cancel();
}

function jitteredMs(attemptNumber: number, minDelayMs: number, maxDelayMs: number): number {
  return Math.random() * Math.min(maxDelayMs, minDelayMs * 2 ** (attemptNumber - 1));
}
