import type { ServerHttp2Stream } from 'node:http2';
import type { BodyLease } from '../body-budget.ts';
import { Rejection, RpcCode, rejectTooLarge, type SizeLimit } from '../rejection.ts';

/** The message of a call. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
export interface Message {
  readonly bytes: Uint8Array;
  readonly isCompressed: boolean;
}

interface Limits {
  /** Limit of the message as it arrives. */
  readonly size: SizeLimit;
  readonly timeoutMs: number;
  /** Counts the memory of the message. */
  readonly lease: BodyLease;
}

/**
 * Reads the one message of a unary call.
 *
 * @throws Rejection if it is too large, is not the only one, or does not arrive in time or at all.
 */
export async function receiveMessage(stream: ServerHttp2Stream, { size, timeoutMs, lease }: Limits): Promise<Message> {
  const { promise, resolve, reject } = Promise.withResolvers<Message>();
  const assembly = new Assembly(size);
  const timer = setTimeout(() => reject(rejectLate(timeoutMs)), timeoutMs);
  const settle = (outcome: () => void): void => {
    try {
      outcome();
    } catch (error) {
      reject(error);
    }
  };
  const append = (chunk: Buffer): void => {
    lease.add(chunk.length);
    if (lease.isHeld) settle(() => assembly.append(chunk));
    else assembly.discard();
  };
  stream.on('data', append);
  stream.once('end', () => settle(() => resolve(assembly.finish())));
  // Node emits `end` after `aborted`.
  stream.once('aborted', () => reject(rejectAborted()));
  if (stream.destroyed) reject(rejectAborted());
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    stream.off('data', append);
  }
}

/** One byte that is 1 if the message is compressed, then its length. */
const PREFIX_BYTES = 5;

class Assembly {
  readonly #limit: SizeLimit;
  #chunks: Buffer[] = [];
  #size = 0;
  #expected: number | undefined;

  constructor(limit: SizeLimit) {
    this.#limit = limit;
  }

  append(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#expected === undefined && this.#size >= PREFIX_BYTES) this.#expected = this.#readPrefix();
    if (this.#expected !== undefined && this.#size > this.#expected) throw rejectFraming('more than one message');
  }

  /** Gives up the memory of a message that is refused. */
  discard(): void {
    this.#chunks = [];
  }

  finish(): Message {
    if (this.#size !== this.#expected) throw rejectFraming('a message that ends early');
    const whole = this.#whole();
    return { bytes: whole.subarray(PREFIX_BYTES), isCompressed: whole[0] === 1 };
  }

  /** Rejects a message that is too long as soon as its length is known, and stores nothing of it. */
  #readPrefix(): number {
    const whole = this.#whole();
    const flag = whole[0] as number;
    if (flag > 1) throw rejectFraming(`a message with the flag ${flag}`);
    const length = whole.readUInt32BE(1);
    if (length > this.#limit.maxBytes) throw rejectTooLarge(this.#limit);
    this.#chunks = [whole];
    return PREFIX_BYTES + length;
  }

  #whole(): Buffer {
    return this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks, this.#size);
  }
}

/** The answer of gRPC's own libraries to protocol errors. https://grpc.io/docs/guides/status-codes/ */
function rejectFraming(what: string): Rejection {
  return new Rejection('malformed', RpcCode.internal, { message: `the call has ${what}` });
}

function rejectAborted(): Rejection {
  return new Rejection('aborted', RpcCode.invalidArgument, { message: 'the message did not arrive' });
}

function rejectLate(timeoutMs: number): Rejection {
  const message = `the message did not arrive within ${timeoutMs / 1000} s`;
  return new Rejection('aborted', RpcCode.deadlineExceeded, { message });
}
