import type { RejectionReason } from '../../../metrics/reasons.ts';
import { PermanentError, RetryableError } from '../../../engine/errors.ts';
import { MalformedError } from '../../../engine/otlp/malformed-error.ts';
import { TooManyMessagesError } from '../../../engine/otlp/too-many-messages-error.ts';
import { WireWriter } from '../../../engine/otlp/wire-writer.ts';
import { reasonOf } from '../../../engine/telemetry/item-counts.ts';

/** https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto */
export const RpcCode = {
  invalidArgument: 3,
  deadlineExceeded: 4,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

export type RpcCode = (typeof RpcCode)[keyof typeof RpcCode];

/** The reason for rejecting a request, for its sender (`code`, message, `retryAfterMs`) and for the counter (`reason`). */
export class Rejection extends Error {
  override readonly name = 'Rejection';
  readonly reason: RejectionReason;
  readonly code: RpcCode;
  readonly retryAfterMs: number | undefined;

  constructor(
    reason: RejectionReason,
    code: RpcCode,
    options: ErrorOptions & { message: string; retryAfterMs?: number | undefined },
  ) {
    super(options.message, options);
    this.reason = reason;
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }
}

export function rejectMalformed(message: string, cause?: unknown): Rejection {
  return new Rejection('malformed', RpcCode.invalidArgument, { message, cause });
}

export function rejectUnauthenticated(): Rejection {
  return new Rejection('unauthenticated', RpcCode.unauthenticated, {
    message: 'the credentials of the request are missing or wrong',
  });
}

/** The maximum size of a request, and the configuration key that sets it. */
export interface SizeLimit {
  readonly maxBytes: number;
  readonly key: 'max_request_body_size' | 'max_recv_msg_size_mib';
}

export function rejectTooLarge({ maxBytes, key }: SizeLimit): Rejection {
  return new Rejection('too_large', RpcCode.resourceExhausted, {
    message: `the request is larger than the ${maxBytes} bytes that ${key} allows`,
  });
}

/** The answer to a request that ended with this error. The sender sees no details of unexpected errors. */
export function rejectionOf(error: unknown): Rejection {
  if (error instanceof Rejection) return error;
  if (error instanceof MalformedError) return rejectMalformed(error.message, error);
  if (error instanceof TooManyMessagesError) {
    return new Rejection('too_many_messages', RpcCode.resourceExhausted, { message: error.message, cause: error });
  }
  const reason = reasonOf(error);
  if (error instanceof RetryableError) {
    const { message, retryAfterMs } = error;
    return new Rejection(reason, RpcCode.unavailable, { message, retryAfterMs, cause: error });
  }
  const message = error instanceof PermanentError ? error.message : 'internal error';
  return new Rejection(reason, RpcCode.internal, { message, cause: error });
}

/** The message `google.rpc.Status`, with a `RetryInfo` if the rejection has a delay. */
export function encodeStatus({ code, message, retryAfterMs }: Rejection): Uint8Array {
  const writer = new WireWriter(message.length + 128);
  writer.varintField(1, code);
  writer.stringField(2, message);
  if (retryAfterMs !== undefined) {
    writer.messageField(3, () => {
      writer.stringField(1, 'type.googleapis.com/google.rpc.RetryInfo');
      writer.messageField(2, () => writeRetryInfo(writer, retryAfterMs));
    });
  }
  return writer.finish();
}

function writeRetryInfo(writer: WireWriter, retryAfterMs: number): void {
  const wholeMs = Math.ceil(retryAfterMs);
  writer.messageField(1, () => {
    writer.varintField(1, Math.floor(wholeMs / 1000));
    writer.varintField(2, (wholeMs % 1000) * 1_000_000);
  });
}
