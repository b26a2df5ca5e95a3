import type { Consumer, PartialSuccess, TelemetryBatch } from '../component.ts';
import { PermanentError, RetryableError } from '../errors.ts';

/**
 * Passes each batch to every consumer, also if one of them fails.
 *
 * As in the stock Collector, the failures become one error: permanent if any of them is permanent, otherwise retryable.
 * A sender that retries also reaches the consumers that had accepted the batch: delivery is at least once.
 * If several consumers reject items, these may be the same ones, so the largest number counts.
 */
export function fanOut(consumers: readonly Consumer[]): Consumer {
  const [only] = consumers;
  if (only !== undefined && consumers.length === 1) return only;
  return {
    consume: async (batch: TelemetryBatch): Promise<PartialSuccess | void> => {
      const results = await Promise.allSettled(consumers.map((consumer) => consumer.consume(batch)));
      const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
      if (errors.length > 0) throw combine(errors);
      return combinePartial(results.flatMap((result) => (result.status === 'fulfilled' && result.value) || []));
    },
  };
}

function combinePartial(parts: readonly PartialSuccess[]): PartialSuccess | undefined {
  if (parts.length === 0) return undefined;
  return {
    rejectedItems: Math.max(...parts.map(({ rejectedItems }) => rejectedItems)),
    message: parts.map(({ message }) => message).join('; '),
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
