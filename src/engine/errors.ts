import type { FailureReason } from '../metrics/reasons.ts';

/** It is useless to send the same batch again: it is dropped and counted under `code`. */
export class PermanentError extends Error {
  override readonly name = 'PermanentError';
  /** A metric label. */
  readonly code: FailureReason;

  constructor(code: FailureReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The same batch may be accepted later. */
export class RetryableError extends Error {
  override readonly name = 'RetryableError';
  /** A metric label. */
  readonly code: FailureReason;
  /** The pause that the other side asked for, if any. */
  readonly retryAfterMs: number | undefined;

  constructor(code: FailureReason, message: string, options?: ErrorOptions & { retryAfterMs?: number | undefined }) {
    super(message, options);
    this.code = code;
    this.retryAfterMs = options?.retryAfterMs;
  }
}
