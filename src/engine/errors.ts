import type { FailureReason } from '../metrics/reasons.ts';

/** Sending the same batch again cannot help: the batch is dropped, and the drop counted under `code`. */
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
  /** How long the other side asked to be left alone, if it did. */
  readonly retryAfterMs: number | undefined;

  constructor(code: FailureReason, message: string, options?: ErrorOptions & { retryAfterMs?: number | undefined }) {
    super(message, options);
    this.code = code;
    this.retryAfterMs = options?.retryAfterMs;
  }
}
