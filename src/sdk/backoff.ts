/** Slows down when a store or PostgreSQL asks for it. */
import { setTimeout as sleep } from 'node:timers/promises';
import pRetry from 'p-retry';
import { pipelineMetrics } from '../packs/scrape-pipeline/pipeline-metrics.ts';
import type { LabelValues } from '../metrics/metric.ts';
import { counter } from './instruments.ts';
import { readRateLimit, type RateLimit } from './rate-limit.ts';

const countRateLimit = counter(pipelineMetrics.rate_limit_errors_total);

type RateLimitLabels = LabelValues<typeof pipelineMetrics.rate_limit_errors_total>;

export interface BackoffOptions extends RateLimitLabels {
  /** Ends the waiting; the promise rejects with its reason. */
  readonly signal?: AbortSignal;
  /** How often it is tried again. Default 5. */
  readonly retries?: number;
  /** The first wait when the answer does not say how long; it doubles with each one. Default 500. */
  readonly minDelayMs?: number;
  /** The longest wait. Who asks for a longer one is not asked again. Default 60,000. */
  readonly maxDelayMs?: number;
}

/**
 * Tries again as long as the answer asks to slow down: a 429 or a 503 (as a `Response`, or as the `status` or
 * `statusCode` of an error), anything with a `Retry-After`, PostgreSQL's 53300 and 53400. It waits as long as
 * `Retry-After` says, else exponentially with full jitter. Each such answer counts once in `rate_limit_errors_total`.
 * Any other error is thrown at once. When it gives up, the last answer is what the caller gets: a response is returned,
 * an error is thrown.
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
      // pRetry's own delay cannot depend on the error, so it is off and `shouldRetry` waits.
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

/** Carries an answer that asks to slow down through the retry loop. */
class RateLimited extends Error {
  readonly answer: unknown;
  readonly limit: RateLimit;

  constructor(answer: unknown, limit: RateLimit) {
    super('the answer asks to slow down');
    this.answer = answer;
    this.limit = limit;
  }
}

function limitOf(error: unknown): RateLimit | undefined {
  return error instanceof RateLimited ? error.limit : readRateLimit(error);
}

/** An unread body would keep its connection. */
async function discard(error: unknown): Promise<void> {
  if (error instanceof RateLimited && error.answer instanceof Response) await error.answer.body?.cancel();
}

function jitteredMs(attemptNumber: number, minDelayMs: number, maxDelayMs: number): number {
  return Math.random() * Math.min(maxDelayMs, minDelayMs * 2 ** (attemptNumber - 1));
}
