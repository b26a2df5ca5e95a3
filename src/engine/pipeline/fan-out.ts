import type { Consumer, TelemetryBatch } from '../component.ts';
import { PermanentError, RetryableError } from '../errors.ts';

/**
 * Passes each batch to every consumer, also if one of them fails.
 *
 * As in the stock Collector, the failures become one error: permanent if any of them is permanent, otherwise retryable.
 * A sender that retries also reaches the consumers that had accepted the batch: delivery is at least once.
 */
export function fanOut(consumers: readonly Consumer[]): Consumer {
  const [only] = consumers;
  if (only !== undefined && consumers.length === 1) return only;
  return {
    consume: async (batch: TelemetryBatch): Promise<void> => {
      const results = await Promise.allSettled(consumers.map((consumer) => consumer.consume(batch)));
      const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
      if (errors.length > 0) throw combine(errors);
    },
  };
}

function combine(errors: readonly unknown[]): unknown {
  if (errors.length === 1) return errors[0];
  const cause = new AggregateError(errors);
  const message = errors.map((error) => (error instanceof Error ? error.message : String(error))).join('; ');
  const final = errors.find((error) => !(error instanceof RetryableError));
  if (final !== undefined) {
    return new PermanentError(final instanceof PermanentError ? final.code : 'internal', message, { cause });
  }
  const retryable = errors as readonly RetryableError[];
  const waits = retryable.flatMap(({ retryAfterMs }) => retryAfterMs ?? []);
  const retryAfterMs = waits.length > 0 ? Math.max(...waits) : undefined;
  return new RetryableError(retryable[0]?.code ?? 'internal', message, { cause, retryAfterMs });
}
